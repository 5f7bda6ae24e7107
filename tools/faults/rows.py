"""What a part of the scorecard gets and gives."""

from __future__ import annotations

from dataclasses import dataclass

Row = tuple[str, str]  # what was measured, and the figure; WRONG in a figure fails the run


@dataclass(frozen=True, slots=True)
class Options:
    """How long and with which seed to measure."""

    short: bool = False
    seed: int = 1
    victims: tuple[str, ...] = ()  # of the kills; none: all

"""What a part of the scorecard gets and gives."""

from __future__ import annotations

from msgspec import Struct

Row = tuple[str, str]  # what was measured, and the figure; WRONG in a figure fails the run


class Options(Struct, frozen=True):
    """How long and with which seed to measure."""

    short: bool = False
    seed: int = 1
    victims: tuple[str, ...] = ()  # of the kills; none: all

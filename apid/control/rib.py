"""Changes of routes that come over the control socket, on their way to ribd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apid.control.jobs import Step
from apid.riblink import RibLink
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.schema import Applied, Message, Refused
from bus.transport import Client

CLIENT = "cli"  # our name for ribd; configured routes go under another one


class RibChanges:
    """Our requests to ribd, as a client of our own. The result of a step is the reason of a refusal, or nothing."""

    def __init__(self, loop: Loop, run: RunDirectory, epoch: str, on_bad: Callable[[str], None]) -> None:
        self._on_bad = on_bad
        self._client = Client(loop, run.ribd, self._received, lambda: self._link.connected(), on_bad)
        self._link = RibLink(CLIENT, epoch, self._client.send)

    def _received(self, message: Message) -> None:
        if isinstance(message, Applied | Refused):
            self._link.answered(message)
        else:
            self._on_bad(f"{type(message).__name__} is not for control")

    def apply(self, targets: list[list[str]], changes: list[list[Any]]) -> Step:
        """Make the step that changes routes, all of them or none."""
        return lambda resume: self._link.apply(targets, changes, resume, after_configuration=True)

    def sync(self, neighbors: list[str], seconds: float) -> Step:
        """Make the step that waits until sessions have written what they are to be sent."""
        return lambda resume: self._link.sync(neighbors, seconds, resume)

    def clear(self, neighbors: list[str]) -> Step:
        """Make the step that withdraws every route of these neighbors."""
        return lambda resume: self._link.clear(neighbors, resume)

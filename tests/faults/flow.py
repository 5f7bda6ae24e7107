"""A helper that commands without pause, and what must have come of its commands at every peer."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from msgspec import Struct

from tests.faults.programs.flow import STATE, announced, withdrawn
from tests.faults.programs.flow import __file__ as PROGRAM
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import route
from tests.system.peer import Session

RATE = 2000  # commands a second
LAG = 5000  # routes that stand, in the end; a route is withdrawn five seconds after it was announced
REST = 3000  # commands that are said between the order to stop and the stop


class Difference(Struct, frozen=True):
    """How what a peer was told differs from what was commanded, in routes."""

    lost: int
    back: int  # withdrawn, and there again
    needless: int  # said again in the same session


class Flow:
    """The helper `flow` of a daemon, seen from outside."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "flow"
        self.directory.mkdir()

    def configuration(self) -> str:
        """Return its process block."""
        return f"process flow {{ run {sys.executable} -S -E {PROGRAM} {self.directory} {RATE} {LAG}; encoder text; }}\n"

    def _state(self) -> tuple[int, int, int]:
        try:
            octets = (self.directory / "state").read_bytes()
        except FileNotFoundError:
            octets = b""
        answered, said, longest = STATE.unpack(octets or bytes(STATE.size))
        return answered, said, longest

    @property
    def answered(self) -> int:
        """Commands that were answered so far."""
        return self._state()[0]

    @property
    def said(self) -> int:
        """Commands that were said so far."""
        return self._state()[1]

    @property
    def longest_wait(self) -> float:
        """Seconds that a command waited for its answer, at most."""
        return self._state()[2] / 1e6

    def standing(self, answered: int, said: int) -> set[int]:
        """Return the routes that stand for certain when so many commands were answered, and said."""
        return set(range(withdrawn(said, LAG), announced(answered, LAG)))

    def full(self, seconds: float = PATIENCE) -> None:
        """Wait until as many routes stand as ever will."""
        wait_for(lambda: self.answered > LAG, seconds, lambda: f"{LAG} answers; {self.answered} came")

    def stop(self, seconds: float = PATIENCE) -> int:
        """Let it come to an end with everything answered; return how many commands there were."""
        until = self.said + REST
        (self.directory / "until").write_text(f"{until}\n")
        wait_for(lambda: self.answered >= until, seconds, lambda: f"{until} answers; {self.answered} came")
        return until

    def unexpected(self) -> list[str]:
        """Return what it read besides its answers."""
        return [line for line in (self.directory / "unexpected").read_text().splitlines() if line != "shutdown"]

    def repeated(self) -> Counter[int]:
        """Return how often it withdrew a route again, because it had died before the answer."""
        again: Counter[int] = Counter()
        for answered, said, _ in STATE.iter_unpack((self.directory / "lives").read_bytes()):
            again.update(range(withdrawn(answered, LAG), withdrawn(said, LAG)))
        return again

    def difference(self, session: Session, commands: int, from_the_first: bool = True) -> Difference:
        """Compare what a peer was told with the commands, all of them or those since its session began.

        A withdrawal that was commanded twice may be told twice: ribd need not remember the route any more.
        """
        routes = [route(number) for number in range(announced(commands, LAG))]
        gone = withdrawn(commands, LAG)
        lost = sum(key not in session.table for key in routes[gone:])
        if from_the_first:
            lost += sum(key not in session.announced or key not in session.withdrawn for key in routes[:gone])
        repeated = self.repeated()
        needless = sum(count - 1 for count in session.announced.values())
        for number, key in enumerate(routes[:gone]):
            needless += max(0, session.withdrawn[key] - 1 - repeated[number])
        return Difference(lost, len(session.table.keys() - set(routes[gone:])), needless)

"""Neighbors whose routes are forgotten once they were sent: what their sessions have confirmed is journalled.

A route is sent once TCP has taken it, which a session says with its next Pull. Until then it is kept as for any other
neighbor, so that nothing is lost whoever dies. From then on it is as if it had never been: a new session is not sent
it, and whoever announces it again has it sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from bgp.family import Family
from bus.schema import Forget, Pull
from ribd.state import State

CLIENT = "forgetting"


class Forgetting:
    """Hears what sessions have confirmed. `submit` takes a request, `commit` carries out all that were taken."""

    def __init__(self, state: State, epoch: str, submit: Callable[[Forget], None], commit: Callable[[], None]) -> None:
        self._state, self._epoch = state, epoch
        self._submit, self._commit = submit, commit
        self._sequence = count(1)

    def heard(self, pull: Pull) -> dict[Family, int]:
        """Take note of a Pull; return up to which versions it has had routes forgotten."""
        state = self._state
        if pull.neighbor not in state.rib.forgetful or pull.lineage != state.lineage_of(pull.neighbor):
            return {}
        written = pull.written or [cursor[2] for cursor in pull.cursors]
        positions = {Family(*cursor[:2]): version for cursor, version in zip(pull.cursors, written, strict=True)}
        sent = {
            family: version for family, version in positions.items() if state.rib.holds(pull.neighbor, family, version)
        }
        if sent:
            rows = [[*family, version] for family, version in sent.items()]
            self._submit(Forget(CLIENT, self._epoch, next(self._sequence), pull.neighbor, rows))
            self._commit()  # at once: the next message may be the first of a new session
        return sent

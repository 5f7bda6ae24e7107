"""Who waits until sessions have written what they are to be sent: `Sync` requests on their way.

A session's Pull says what TCP has taken of it. One that is down has no Pull, and does not count; after our start, a
neighbor counts until its peerd has said how its session is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from bgp.family import Family
from bus.loop import Loop, Timer
from bus.names import address_of, neighbor_of
from bus.schema import Applied, Message, Pull, Refused, Sync

MOST = 1024  # requests that wait at the same time
LONGEST = 600.0  # seconds

Versions = Mapping[Family, int]


class Waiting(Struct, eq=False):
    """One request, and the sessions that it waits for with the versions that they must reach."""

    identity: bytes
    request: Sync
    sessions: dict[str, Versions]
    versions: Callable[[str], Versions]
    timer: Timer | None = None


class Syncs:
    """All requests that wait."""

    def __init__(self, loop: Loop, send: Callable[[bytes, Message], bool]) -> None:
        self._loop, self._send = loop, send
        self._heard: set[str] = set()  # whose session has told its state since our start
        self._waiting: list[Waiting] = []

    def add(
        self, identity: bytes, request: Sync, versions: Callable[[str], Versions], pull: Callable[[str], Pull | None]
    ) -> None:
        """Take a request. `versions` says how far a neighbor's routes go now, `pull` what its session last said."""
        if len(self._waiting) >= MOST:
            reason = f"{MOST} others wait for sessions already"
            self._send(identity, Refused(request.sequence, reason, request.epoch))
            return
        sessions = {}
        for name in request.neighbors:
            last, wanted = pull(name), versions(name)
            if name not in self._heard or (last is not None and not _reached(last, wanted)):
                sessions[name] = wanted
        if not sessions:
            self._send(identity, Applied(request.sequence, request.epoch))
            return
        waiting = Waiting(identity, request, sessions, versions)
        seconds = min(max(request.seconds, 0.0), LONGEST)
        waiting.timer = self._loop.call_later(seconds, lambda: self._give_up(waiting, seconds))
        self._waiting.append(waiting)

    def heard(self, pull: Pull) -> None:
        """Take note of a Pull."""
        name = pull.neighbor
        if neighbor_of(name) not in self._heard:
            self._await_session(name)
        self._heard.add(name)
        for waiting in [each for each in self._waiting if name in each.sessions]:
            if _reached(pull, waiting.sessions[name]):
                self._drop(waiting, name)

    def _await_session(self, name: str) -> None:
        """Have whoever waits for a range whose sessions are not known yet wait for this one, too."""
        for waiting in self._waiting:
            if neighbor_of(name) in waiting.sessions:
                waiting.sessions.setdefault(name, waiting.versions(name))

    def gone(self, neighbor: str) -> None:
        """Take note that a session is down."""
        if address_of(neighbor):
            self._heard.discard(neighbor)  # the addresses of a range are without number
        else:
            self._heard.add(neighbor)
        for waiting in [each for each in self._waiting if neighbor in each.sessions]:
            self._drop(waiting, neighbor)

    def _drop(self, waiting: Waiting, name: str) -> None:
        del waiting.sessions[name]
        if not waiting.sessions:
            self._finish(waiting, Applied(waiting.request.sequence, waiting.request.epoch))

    def _give_up(self, waiting: Waiting, seconds: float) -> None:
        if waiting in self._waiting:
            late = ", ".join(sorted(waiting.sessions))
            reason = f"not written after {seconds:g} s: {late}"
            self._finish(waiting, Refused(waiting.request.sequence, reason, waiting.request.epoch))

    def _finish(self, waiting: Waiting, answer: Message) -> None:
        self._waiting.remove(waiting)
        if waiting.timer is not None:
            waiting.timer.cancel()
        self._send(waiting.identity, answer)


def _reached(pull: Pull, wanted: Versions) -> bool:
    """Whether TCP has taken everything up to these versions, in the families that the session carries."""
    written = pull.written or [cursor[2] for cursor in pull.cursors]
    return all(
        position >= wanted.get(Family(cursor[0], cursor[1]), 0)
        for cursor, position in zip(pull.cursors, written, strict=False)
    )

"""Rate limit: a connection that passes on so many messages in a second. KEEPALIVEs bypass it."""

from __future__ import annotations

from collections import deque

from bgp.message import split_messages
from bus.loop import Loop
from peerd.connection import Connection

PERIOD = 1.0  # seconds


class PacedConnection:
    """A `Connection` for routes, which sends at most `rate` messages in a second.

    `queued` and `accepted` count octets as those of the connection do, including what waits here.
    """

    def __init__(self, loop: Loop, connection: Connection, rate: int) -> None:
        self._loop, self._connection, self._rate = loop, connection, rate
        self._waiting: deque[bytes] = deque()
        self._octets = 0  # in `_waiting`
        self._began = loop.now() - PERIOD
        self._left = 0
        self._asleep = False
        self.accepted = 0

    @property
    def queued(self) -> int:
        """The octets that wait, here or for the socket."""
        return self._octets + self._connection.queued

    def send(self, octets: bytes) -> None:
        """Queue whole messages, and send what may go at once."""
        self.accepted += len(octets)
        self._octets += len(octets)
        self._waiting.extend(split_messages(octets))
        if not self._asleep:
            self._send_some()

    def _send_some(self) -> None:
        self._asleep = False
        if self._connection.closed:
            self._waiting.clear()
            self._octets = 0
            return
        now = self._loop.now()
        if now - self._began >= PERIOD:
            self._began, self._left = now, self._rate
        while self._waiting and self._left:
            self._left -= 1
            message = self._waiting.popleft()
            self._octets -= len(message)
            self._connection.send(message)
        if self._waiting and not self._asleep:
            self._asleep = True
            self._loop.call_later(self._began + PERIOD - now, self._send_some)

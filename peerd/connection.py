"""One TCP connection: reads bounded amounts, writes what the peer takes, closes so that the last words get through."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable

from bgp.notification import Notification
from bus.loop import Loop, readable, writable

READ_OCTETS = 65536  # in a turn of the loop: bounds the work between two looks at the timers
DRAIN_SECONDS = 1.0  # for which a closing connection goes on reading, so that no RST overtakes the NOTIFICATION
WRITE_PARTS = 64
REFUSALS = 256  # connections that are refused and not closed yet


class Connection:
    """A non-blocking socket with a queue of octets to write.

    The owner is told of octets received, of attempts to write and how much they wrote, and of the end.
    """

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        on_octets: Callable[[bytes], None],
        on_progress: Callable[[int], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._on_octets, self._on_progress, self._on_closed = on_octets, on_progress, on_closed
        self._queue: deque[memoryview] = deque()
        self.queued = 0  # octets that wait for the socket
        self.accepted = 0  # octets given to `send` so far
        self._reading = True
        self._closing = False
        self._closed = False
        self._descriptor = sock.fileno()
        self._watched: tuple[bool, bool] | None = None
        self._watch()

    def _watch(self) -> None:
        wanted = (self._reading, bool(self._queue))
        if wanted != self._watched:
            self._watched = wanted
            self._loop.watch(self._descriptor, self._ready, *wanted)

    def _ready(self, events: int) -> None:
        if writable(events) and self._queue:
            self._flush()
        if readable(events) and not self._closed and self._reading:
            self._read()

    def _read(self) -> None:
        try:
            octets = self._socket.recv(READ_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if octets and self._closing:
            return
        if octets:
            self._on_octets(octets)
        elif self._closing:
            self.abort()
        else:
            self.abort()
            self._on_closed()

    def pause_reading(self, paused: bool) -> None:
        """Let the peer wait, or go on."""
        if self._reading == paused and not self._closing and not self._closed:
            self._reading = not paused
            self._watch()

    def send(self, octets: bytes) -> None:
        """Queue octets and write what goes at once."""
        if self._closed or self._closing or not octets:
            return
        self._queue.append(memoryview(octets))
        self.queued += len(octets)
        self.accepted += len(octets)
        if len(self._queue) == 1:
            self._flush()
        else:
            self._watch()

    def _flush(self) -> None:
        try:
            sent = self._socket.sendmsg([self._queue[i] for i in range(min(len(self._queue), WRITE_PARTS))])
        except BlockingIOError:
            sent = 0
        except OSError:
            # The reading side finds out why, after the peer's last words.
            self._queue.clear()
            self.queued = sent = 0
        self.queued -= sent
        left = sent
        while left:
            part = self._queue.popleft()
            if left < len(part):
                self._queue.appendleft(part[left:])
                break
            left -= len(part)
        if self._closing and not self._queue:
            self._shut()
        if not self._closed:
            self._watch()
            self._on_progress(sent)

    def close(self) -> None:
        """Write what is queued, shut our side, read until the peer closes too or a moment has passed."""
        if self._closed or self._closing:
            return
        self._closing = True
        self._reading = True
        self._loop.call_later(DRAIN_SECONDS, self.abort)
        if self._queue:
            self._flush()
        else:
            self._shut()
        if not self._closed:
            self._watch()

    def _shut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()

    def abort(self) -> None:
        """Close at once. Idempotent."""
        if not self._closed:
            self._closed = True
            self._queue.clear()
            self._loop.unwatch(self._descriptor)
            self._socket.close()

    @property
    def closed(self) -> bool:
        """Whether the socket is gone."""
        return self._closed


class Refusals:
    """Tells peers why their connections are not taken, and closes those as it does any other."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._leaving: deque[Connection] = deque(maxlen=REFUSALS)

    def refuse(self, sock: socket.socket, notification: Notification) -> None:
        """Say why, and close; where many are leaving, the oldest must be gone at once."""
        if len(self._leaving) == REFUSALS:
            self._leaving[0].abort()
        connection = Connection(self._loop, sock, lambda _octets: None, lambda _sent: None, lambda: None)
        self._leaving.append(connection)
        connection.send(notification.message())
        connection.close()

"""One thread's event loop: zmq sockets, file descriptors, timers and signals (ADR 4)."""

from __future__ import annotations

import heapq
import os
import select
import signal
import time
from collections.abc import Callable
from typing import TypeAlias

import zmq

LINGER = 200  # milliseconds that a closing socket is given to send what is queued
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
# Plain numbers: an operator of zmq's enumerations costs more than the call that it is for.
_EVENTS, _POLLIN = int(zmq.EVENTS), int(zmq.POLLIN)
Socket: TypeAlias = "zmq.Socket[bytes]"


class Context(zmq.Context[zmq.Socket[bytes]]):
    """A context that garbage collection does not end: collected before its sockets, it would wait for them for ever."""

    def __del__(self) -> None:
        """Leave sockets that were not closed to the end of the process."""


class Timer:
    """A call at a time; `cancel` is idempotent."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the call."""
        self.callback = None


class Loop:
    """Calls back when something is ready, due or signalled."""

    def __init__(self) -> None:
        self.context = Context(io_threads=1)
        # For every socket, including those of monitors: without it, ending the context may block for ever.
        self.context.setsockopt(zmq.LINGER, LINGER)
        self.context.set(zmq.MAX_SOCKETS, 8192)
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._polled: set[int] = set()  # descriptors that the kernel watches for us
        self._fresh: set[int] = set()  # watched since the last poll
        self._sockets: dict[int, Socket] = {}
        self._used: set[int] = set()  # descriptors of zmq sockets that may hold messages without being readable
        self._timers: list[tuple[float, int, Timer]] = []
        self._timer_count = 0
        self._soon: list[Callable[[], None]] = []
        self._running = False
        self._signals: dict[int, Callable[[], None]] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.watch(self._wake_read, self._woken)

    @staticmethod
    def now() -> float:
        """Return the monotonic time in seconds, the clock of all timers."""
        return time.monotonic()

    def watch(self, descriptor: int, handler: Callable[[int], None], read: bool = True, write: bool = False) -> None:
        """Call `handler(events)` when a descriptor is readable or writable; again to change it."""
        if descriptor not in self._handlers:
            self._fresh.add(descriptor)
        self._handlers[descriptor] = handler
        events = (select.EPOLLIN if read else 0) | (select.EPOLLOUT if write else 0)
        if descriptor in self._polled:
            if events:
                self._epoll.modify(descriptor, events)
            else:
                self._forget(descriptor)  # epoll would still tell of hangups, without end
        elif events:
            self._epoll.register(descriptor, events)
            self._polled.add(descriptor)

    def _forget(self, descriptor: int) -> None:
        self._polled.discard(descriptor)
        self._epoll.unregister(descriptor)

    def unwatch(self, descriptor: int) -> None:
        """Stop watching, before the descriptor is closed; unknown ones are ignored."""
        self._handlers.pop(descriptor, None)
        if descriptor in self._polled:
            self._forget(descriptor)

    def watch_socket(self, socket: Socket, handler: Callable[[], bool]) -> int:
        """Call `handler` when a zmq socket may have messages, until it returns True: all were read.

        The returned number is for `used` and `unwatch_socket`.
        """
        descriptor = int(socket.getsockopt(zmq.FD))
        self._sockets[descriptor] = socket

        def ready(_events: int) -> None:
            self._used.add(descriptor)  # before reading, during which it may be unwatched
            if handler():
                self._used.discard(descriptor)

        self.watch(descriptor, ready)
        self._used.add(descriptor)
        return descriptor

    def unwatch_socket(self, descriptor: int) -> None:
        """Stop watching a zmq socket; unknown ones are ignored."""
        self.unwatch(descriptor)
        self._sockets.pop(descriptor, None)
        self._used.discard(descriptor)

    def used(self, descriptor: int) -> None:
        """Say that something was sent on a zmq socket.

        Its descriptor signals changes, not messages, and sending consumes the signal: from then on, only asking the
        socket shows whether there are messages.
        """
        self._used.add(descriptor)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back at a monotonic time."""
        timer = Timer(when, callback)
        self._timer_count += 1
        heapq.heappush(self._timers, (when, self._timer_count, timer))
        return timer

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call back after `delay` seconds."""
        return self.call_at(self.now() + delay, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call back in the next turn, after sockets had theirs."""
        self._soon.append(callback)

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        """Run `callback` in the loop when a signal arrives."""
        self._signals[number] = callback
        signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)

    def _woken(self, _events: int) -> None:
        for number in os.read(self._wake_read, 4096):
            if number in self._signals:
                self._signals[number]()

    def stop(self) -> None:
        """Leave `run` after the present turn."""
        self._running = False

    def run(self) -> None:
        """Serve until `stop`."""
        self._running = True
        while self._running:
            self.turn()

    def turn(self) -> None:
        """Wait until something is ready, and serve everything that is."""
        waiting = self._sockets_with_messages()
        ready = self._epoll.poll(0 if waiting else self._timeout())
        self._fresh.clear()
        for descriptor, events in ready:
            handler = self._handlers.get(descriptor)
            # A descriptor that was closed in this turn may be another file by now: the events are those of the former.
            if handler is not None and descriptor not in self._fresh:
                handler(events)
                waiting.discard(descriptor)
        for descriptor in waiting:
            if (handler := self._handlers.get(descriptor)) is not None:
                handler(_IN)
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()
        self._run_timers()

    def _sockets_with_messages(self) -> set[int]:
        """Return the descriptors of zmq sockets that hold messages, among those that may not be readable."""
        found = set()
        for descriptor in self._used & self._sockets.keys():
            if holds_messages(self._sockets[descriptor]):
                found.add(descriptor)
        self._used.clear()
        return found

    def _timeout(self) -> float | None:
        """Seconds until the next timer; None where there is none."""
        if self._soon:
            return 0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - self.now())

    def _run_timers(self) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            callback = heapq.heappop(self._timers)[2].callback
            if callback is not None:
                callback()

    def close(self) -> None:
        """Release the context of the sockets; what is queued still leaves, within a moment."""
        self._epoll.close()
        self.context.destroy(linger=LINGER)


def readable(events: int) -> bool:
    """Whether `events` of a watch handler say readable (or broken, which reading will show)."""
    return bool(events & ~_OUT)


def writable(events: int) -> bool:
    """Whether `events` of a watch handler say writable."""
    return bool(events & _OUT)


def holds_messages(socket: Socket) -> bool:
    """Whether a zmq socket can be read."""
    return bool(int(socket.getsockopt(_EVENTS)) & _POLLIN)

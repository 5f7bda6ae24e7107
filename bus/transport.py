"""Sockets and the loop that serves them. The only module that imports zmq.

Four kinds of socket carry the bus, all on `ipc://` paths in the run directory:

- `Server` (ROUTER, mandatory): answers clients by identity; a client that is gone or full is reported to the sender.
- `Client` (DEALER): connects for ever; `on_connect` runs at every (re)connection, where the owner repeats what was
  not acknowledged.
- `Publisher` (XPUB, to the broker): lossy events; knows which topics somebody wants, so that the others cost nothing.
- `Subscriber` (SUB, from the broker): a tap.

ZeroMQ's failure modes that shape this file: PUB and plain ROUTER drop silently at their high-water mark; a DEALER
delivers what it queued for a dead server to its successor (hence IMMEDIATE); a second process can bind the same
path unnoticed (hence the lock in `bus.daemon`).
"""

from __future__ import annotations

import heapq
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import Any, TypeAlias

import zmq

from bus.schema import MESSAGE_LIMIT, SCHEMA, Event, Message, SchemaError, pack, unpack

MESSAGES_PER_TURN = 64  # read from one socket before the others get their turn
SOCKET_MODE = 0o660
LINGER = 200  # milliseconds that a closing socket is given to send what is queued
EVENTS_WAITING = 10_000  # in the broker, for each tap; an event with UPDATEs may hold 64 KiB
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
# Plain numbers: an operator of zmq's enumerations costs more than the call that it is for.
_NOBLOCK, _SNDMORE = int(zmq.NOBLOCK), int(zmq.SNDMORE)
_EVENTS, _POLLIN = int(zmq.EVENTS), int(zmq.POLLIN)
Socket: TypeAlias = "zmq.Socket[bytes]"


class _Context(zmq.Context[zmq.Socket[bytes]]):
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
    """One thread's event loop over zmq sockets, file descriptors, timers and signals."""

    def __init__(self) -> None:
        self.context = _Context(io_threads=1)
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
            if _holds_messages(self._sockets[descriptor]):
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


def _address(path: Path) -> str:
    return f"ipc://{path}"


def _bind(socket: zmq.Socket[bytes], path: Path) -> None:
    """Bind a socket file of mode 0660; the caller holds the daemon's lock."""
    previous = os.umask(0o177)
    try:
        socket.bind(_address(path))
    finally:
        os.umask(previous)
    path.chmod(SOCKET_MODE)


def _limits(socket: zmq.Socket[bytes], high_water: int) -> None:
    socket.setsockopt(zmq.LINGER, LINGER)
    socket.setsockopt(zmq.MAXMSGSIZE, MESSAGE_LIMIT)
    socket.setsockopt(zmq.SNDHWM, high_water)
    socket.setsockopt(zmq.RCVHWM, high_water)


def _drain(socket: zmq.Socket[bytes], take: Callable[[list[bytes]], None]) -> bool:
    """Take a bounded number of messages; return whether that was all of them.

    A frame says whether another follows, and the socket's events whether another message does: asking for either by
    an option, or by a receive that fails, takes longer than everything else here.
    """
    for _ in range(MESSAGES_PER_TURN):
        try:
            frame = socket.recv(_NOBLOCK, copy=False)
        except zmq.Again:
            return True
        frames = [frame.bytes]
        while frame.more:
            frame = socket.recv(_NOBLOCK, copy=False)
            frames.append(frame.bytes)
        take(frames)
        if not _holds_messages(socket):
            return True
    return False


def _holds_messages(socket: Socket) -> bool:
    return bool(int(socket.getsockopt(_EVENTS)) & _POLLIN)


class UnfitMessage(ValueError):
    """A message that can never be sent: too large, so that its receiver would cut the connection, or not Unicode."""


def _packed(value: Message) -> bytes:
    try:
        octets = pack(value)
    except SchemaError as error:
        raise UnfitMessage(str(error)) from error
    if len(octets) > MESSAGE_LIMIT:
        raise UnfitMessage(f"{type(value).__name__} of {len(octets)} octets, at most {MESSAGE_LIMIT} fit a message")
    return octets


class Delivery(Enum):
    """What became of a message to a client."""

    QUEUED = auto()
    FULL = auto()  # the client reads too slowly: it may be tried again
    GONE = auto()  # there is no such client any more, or the message is one that can never be sent


class Server:
    """Answer clients. `on_message(identity, message, octets)` gets every good message; bad ones are counted."""

    def __init__(
        self,
        loop: Loop,
        path: Path,
        on_message: Callable[[bytes, Message, bytes], None],
        on_bad: Callable[[str], None],
    ) -> None:
        self.bad = 0
        self._on_message, self._on_bad = on_message, on_bad
        self._loop = loop
        self._socket = loop.context.socket(zmq.ROUTER)
        _limits(self._socket, 10_000)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        _bind(self._socket, path)
        self._descriptor = loop.watch_socket(self._socket, lambda: _drain(self._socket, self._take))

    def _take(self, frames: list[bytes]) -> None:
        try:
            if len(frames) != 2:
                raise SchemaError(f"{len(frames)} frames, not 2")
            value = unpack(frames[1])
        except SchemaError as error:
            self.reject(str(error))
            return
        self._on_message(frames[0], value, frames[1])

    def reject(self, reason: str) -> None:
        """Count and report a message that is not acceptable."""
        self.bad += 1
        self._on_bad(reason)

    def send(self, identity: bytes, value: Message) -> bool:
        """Send to one client; False if it is gone or its queue is full, or for what can never be sent."""
        return self.deliver(identity, value) is Delivery.QUEUED

    def deliver(self, identity: bytes, value: Message) -> Delivery:
        """Send to one client, and tell a queue that is full from a client that is gone.

        A message that can never be sent is reported: nobody may end us by what they ask for.
        """
        try:
            octets = _packed(value)
        except UnfitMessage as error:
            self.reject(f"not sent: {error}")
            return Delivery.GONE
        self._loop.used(self._descriptor)
        try:
            self._socket.send(identity, _NOBLOCK | _SNDMORE)
            self._socket.send(octets, _NOBLOCK)
        except zmq.Again:
            return Delivery.FULL
        except zmq.ZMQError:
            return Delivery.GONE
        return Delivery.QUEUED


class Client:
    """A connection to a server that comes and goes.

    `on_connect` runs whenever the server is (again) there: whatever was not answered must be said again then.
    """

    def __init__(
        self,
        loop: Loop,
        path: Path,
        on_message: Callable[[Message], None],
        on_connect: Callable[[], None],
        on_bad: Callable[[str], None],
    ) -> None:
        self.connected = False
        self._paused = False
        self._on_message, self._on_connect, self._on_bad = on_message, on_connect, on_bad
        self._loop = loop
        self._socket = loop.context.socket(zmq.DEALER)
        _limits(self._socket, 10_000)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        self._watched = loop.watch_socket(self._monitor, lambda: _drain(self._monitor, self._connection_changed))
        self._descriptor = loop.watch_socket(self._socket, self._ready)
        self._socket.connect(_address(path))

    def _connection_changed(self, frames: list[bytes]) -> None:
        # Not zmq.utils.monitor, which imports asyncio: event (16 bits) and value, in this machine's order.
        event = int.from_bytes(frames[0][:2], sys.byteorder)
        self.connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
        if self.connected:
            self._on_connect()

    def _ready(self) -> bool:
        return _drain(self._socket, self._take)

    def _take(self, frames: list[bytes]) -> None:
        try:
            value = unpack(frames[-1])
        except SchemaError as error:
            self._on_bad(str(error))
            return
        self._on_message(value)

    def send(self, value: Message) -> bool:
        """Send; False where the server is away or its queue is full (`on_connect` will come).

        UnfitMessage: it is not to be repeated.
        """
        if not self.connected:
            return False
        octets = _packed(value)
        self._loop.used(self._descriptor)
        try:
            self._socket.send(octets, _NOBLOCK)
        except zmq.Again:
            return False
        return True

    def pause_reading(self, paused: bool) -> None:
        """Let the server wait, or go on: what is not read fills its queue for us, and its sends begin to fail."""
        if paused != self._paused:
            self._paused = paused
            if paused:
                self._loop.unwatch_socket(self._descriptor)
            else:
                self._loop.watch_socket(self._socket, self._ready)

    def close(self) -> None:
        """Close the connection for good."""
        self._loop.unwatch_socket(self._descriptor)
        self._loop.unwatch_socket(self._watched)
        self._socket.disable_monitor()
        self._socket.close()


class Publisher:
    """Publish events through the broker. Check `wanted` before building an expensive one."""

    def __init__(self, loop: Loop, path: Path, name: str, epoch: str) -> None:
        self._name, self._epoch = name, epoch
        self._sequence = 0
        self._topics: set[bytes] = set()
        self._socket = loop.context.socket(zmq.XPUB)
        _limits(self._socket, 10_000)
        # The subscriptions of taps end with their broker: without this we would believe in them for ever.
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 50)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        self._socket.connect(_address(path))
        self._loop = loop
        self._descriptor = loop.watch_socket(self._socket, lambda: _drain(self._socket, self._subscription))

    def _subscription(self, frames: list[bytes]) -> None:
        octets = frames[0]
        if octets[:1] == b"\x01":
            self._topics.add(octets[1:])
        elif octets[:1] == b"\x00":
            self._topics.discard(octets[1:])

    def wanted(self, topic: str) -> bool:
        """Whether somebody listens to this topic."""
        if not self._topics:
            return False
        octets = topic.encode()
        return any(octets.startswith(prefix) for prefix in self._topics)

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Publish an event; without a listener, or if it cannot be sent, it only takes its number."""
        self._sequence += 1
        if self.wanted(topic):
            event = Event(self._name, self._epoch, self._sequence, time.time(), topic, data)
            try:
                octets = _packed(event)
            except UnfitMessage:
                return
            self._loop.used(self._descriptor)
            self._socket.send_multipart((topic.encode(), octets), zmq.NOBLOCK)


class Subscriber:
    """Read events from the broker, for taps: blocking, without a loop. What is not an event is only counted."""

    def __init__(self, path: Path, topics: list[str]) -> None:
        self.bad = 0
        self._context = _Context()
        self._socket = self._context.socket(zmq.SUB)
        _limits(self._socket, EVENTS_WAITING)
        for topic in topics or [""]:
            self._socket.setsockopt(zmq.SUBSCRIBE, topic.encode(errors="surrogateescape"))  # typed by somebody
        self._socket.connect(_address(path))

    def next(self, timeout: float | None = None) -> Event | None:
        """Return the next event, or None after `timeout` seconds."""
        while self._socket.poll(None if timeout is None else int(timeout * 1000)):
            try:
                event = unpack(self._socket.recv_multipart()[-1])
            except SchemaError:
                event = None
            if isinstance(event, Event):
                return event
            self.bad += 1
        return None

    def close(self) -> None:
        """Close the socket."""
        self._context.destroy(linger=0)


def run_broker(inward: Path, outward: Path) -> None:
    """Carry events from publishers to taps until the process is ended by a signal."""
    context = zmq.Context()
    publishers, taps = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
    for socket in (publishers, taps):
        _limits(socket, EVENTS_WAITING)
    _bind(publishers, inward)
    _bind(taps, outward)
    zmq.proxy(publishers, taps)


__all__ = [
    "SCHEMA",
    "Client",
    "Delivery",
    "Loop",
    "Publisher",
    "Server",
    "Subscriber",
    "Timer",
    "UnfitMessage",
    "readable",
    "run_broker",
    "writable",
]

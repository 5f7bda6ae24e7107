"""The sockets of the bus. This module and `bus.loop` are the only ones that import zmq.

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

import os
import sys
import time
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import Any

import zmq

from bus.loop import LINGER, Context, Loop, Socket, holds_messages
from bus.schema import MESSAGE_LIMIT, Event, Message, SchemaError, pack, unpack

MESSAGES_PER_TURN = 64  # read from one socket before the others get their turn
SOCKET_MODE = 0o660
EVENTS_WAITING = 10_000  # in the broker, for each tap; an event with UPDATEs may hold 64 KiB
# Plain numbers: an operator of zmq's enumerations costs more than the call that it is for.
_NOBLOCK, _SNDMORE = int(zmq.NOBLOCK), int(zmq.SNDMORE)


def _address(path: Path) -> str:
    return f"ipc://{path}"


def _bind(socket: Socket, path: Path) -> None:
    """Bind a socket file of mode 0660; the caller holds the daemon's lock."""
    previous = os.umask(0o177)
    try:
        socket.bind(_address(path))
    finally:
        os.umask(previous)
    path.chmod(SOCKET_MODE)


def _limits(socket: Socket, high_water: int) -> None:
    socket.setsockopt(zmq.LINGER, LINGER)
    socket.setsockopt(zmq.MAXMSGSIZE, MESSAGE_LIMIT)
    socket.setsockopt(zmq.SNDHWM, high_water)
    socket.setsockopt(zmq.RCVHWM, high_water)


def _drain(socket: Socket, take: Callable[[list[bytes]], None]) -> bool:
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
        if not holds_messages(socket):
            return True
    return False


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
        # All daemons start together: whoever waits longer for another one has the rest wait.
        self._socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
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
        self._context = Context()
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

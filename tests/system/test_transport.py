"""The bus on real sockets: servers that come and go, clients that send rubbish, taps that sleep."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from bus.daemon import AlreadyRunning, take_lock
from bus.loop import Loop
from bus.schema import MESSAGE_LIMIT, Applied, Clear, ListRoutes, Message, Refused, pack
from bus.transport import Client, Delivery, Publisher, Server, Subscriber, UnfitMessage
from tests.shared import ROOT

SECONDS = 60.0


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def run_until(loop: Loop, condition: Callable[[], object], what: str) -> None:
    """Turn the loop until a condition holds."""
    deadline = loop.now() + SECONDS
    while not condition():
        assert loop.now() < deadline, f"waited {SECONDS:g} s for {what}"
        loop.call_later(0.05, lambda: None)
        loop.turn()


class Peers:
    """A client, and a server that can be ended and begun again, in one loop each."""

    def __init__(self, path: Path, loop: Loop) -> None:
        self.path, self.loop = path, loop
        self.got: list[Message] = []
        self.answers: list[Message] = []
        self.bad: list[str] = []
        self.connections = 0
        self.server_loop: Loop | None = None
        self.server: Server | None = None
        self.client = Client(loop, path, self.answers.append, self._connected, self.bad.append)

    def _connected(self) -> None:
        self.connections += 1

    def serve(self) -> None:
        """Begin to serve."""

        def take(identity: bytes, message: Message, _octets: bytes) -> None:
            self.got.append(message)
            if isinstance(message, Clear) and self.server is not None:
                self.server.send(identity, Applied(message.sequence))

        self.server_loop = Loop()
        self.server = Server(self.server_loop, self.path, take, self.bad.append)

    def end(self) -> None:
        """Stop serving, as if killed: nothing lingers."""
        assert self.server_loop is not None
        self.server_loop.context.destroy(linger=0)
        self.server_loop = self.server = None

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Let both sides work until a condition holds."""

        def both() -> object:
            if self.server_loop is not None:
                self.server_loop.call_later(0.002, lambda: None)
                self.server_loop.turn()
            return condition()

        run_until(self.loop, both, what)


@pytest.fixture
def peers(directory: Path, loop: Loop) -> Iterator[Peers]:
    made = Peers(directory / "socket", loop)
    yield made
    if made.server_loop is not None:
        made.end()


def request(sequence: int) -> Clear:
    return Clear("client", "epoch", sequence, ["n"])


def test_a_client_is_there_before_its_server(peers: Peers) -> None:
    assert not peers.client.send(request(1))
    peers.serve()
    peers.until(lambda: peers.connections == 1, "a connection")
    assert peers.client.send(request(2))
    peers.until(lambda: peers.answers == [Applied(2)], "an answer")
    assert peers.got == [request(2)]


def test_a_message_is_not_overlooked_where_a_send_took_in_the_news_of_it(peers: Peers) -> None:
    peers.serve()
    peers.until(lambda: peers.connections == 1, "a connection")
    peers.client.send(request(1))
    assert peers.server_loop is not None
    run_until(peers.server_loop, lambda: peers.got, "a request")
    time.sleep(0.1)  # the answer comes, and the loop does not look
    peers.client.send(ListRoutes(2, "n", 0, 1))
    peers.loop.call_later(1.0, lambda: None)
    peers.loop.turn()
    assert peers.answers == [Applied(1)]


def test_what_is_too_large_is_told_to_the_sender_and_never_sent(peers: Peers, directory: Path) -> None:
    peers.serve()
    peers.until(lambda: peers.connections == 1, "a connection")
    overhead = len(pack(Refused(1, "x" * 100_000))) - 100_000
    fits, too_large = (Refused(1, "x" * (MESSAGE_LIMIT - overhead + more)) for more in (0, 1))
    with pytest.raises(UnfitMessage, match=f"Refused of {MESSAGE_LIMIT + 1} octets, at most {MESSAGE_LIMIT} "):
        peers.client.send(too_large)
    peers.client.send(fits)
    peers.client.send(request(1))
    peers.until(lambda: peers.answers == [Applied(1)], "an answer")
    assert peers.got == [fits, request(1)]

    loop, identities = Loop(), list[bytes]()
    server = Server(loop, directory / "other", lambda identity, *_: identities.append(identity), peers.bad.append)
    got: list[Message] = []
    client_loop = Loop()
    client = Client(client_loop, directory / "other", got.append, lambda: None, peers.bad.append)
    run_until(client_loop, lambda: client.connected, "a connection")
    client.send(request(1))
    run_until(loop, lambda: identities, "a request")
    assert not server.send(identities[0], too_large)
    assert peers.bad == [f"not sent: Refused of {MESSAGE_LIMIT + 1} octets, at most {MESSAGE_LIMIT} fit a message"]
    assert server.send(identities[0], fits)
    run_until(client_loop, lambda: got == [fits], "what fits")
    assert client.connected
    client_loop.close()
    loop.close()


def test_a_text_that_is_not_unicode_is_told_to_the_sender_and_never_sent(peers: Peers) -> None:
    unfit = Refused(1, "a\ud800")
    peers.serve()
    peers.until(lambda: peers.connections == 1, "a connection")
    with pytest.raises(UnfitMessage, match="not Unicode"):
        peers.client.send(unfit)
    assert peers.server is not None
    assert not peers.server.send(b"anybody", unfit)
    assert [reason.partition(":")[0] for reason in peers.bad] == ["not sent"]


def test_nothing_that_was_meant_for_a_dead_server_reaches_its_successor(peers: Peers) -> None:
    for life in range(1, 4):
        peers.serve()
        peers.until(lambda life=life: peers.connections == life, "a connection")  # type: ignore[misc]
        peers.end()
        peers.client.send(request(life))  # it may not know yet
        peers.until(lambda: not peers.client.connected, "the end to be noticed")
        assert not peers.client.send(request(life))
    peers.serve()
    peers.until(lambda: peers.connections == 4, "a connection")
    peers.client.send(request(99))
    peers.until(lambda: peers.got, "a request")
    assert peers.got == [request(99)]


def test_a_client_that_is_gone_is_reported_to_who_sends(peers: Peers, directory: Path) -> None:
    identities: list[bytes] = []
    loop = Loop()
    server = Server(loop, directory / "other", lambda identity, *_: identities.append(identity), peers.bad.append)
    context = zmq.Context()
    raw = context.socket(zmq.DEALER)
    raw.connect(f"ipc://{directory}/other")
    raw.send(pack(request(1)))
    run_until(loop, lambda: identities, "a request")
    assert server.send(identities[0], Applied(1))
    context.destroy(linger=0)
    run_until(loop, lambda: not server.send(identities[0], Applied(1)), "the client's end to be noticed")
    assert not server.send(b"nobody", Applied(1))
    assert server.deliver(identities[0], Applied(1)) is Delivery.GONE
    loop.close()


HOSTILE = [
    [],
    [b""],
    [b"rubbish"],
    [b"", b""],
    [pack(request(1)), b"more"],
    [b"\x93\x01\x02"],
    [b"\xdd\xff\xff\xff\xff"],
    [b"\x91" * 5000],
    [os.urandom(2000)],
    [pack(request(1))[:-1]],
    [b"x" * (1 << 20)],
]


def test_a_server_counts_rubbish_and_goes_on(peers: Peers) -> None:
    peers.serve()
    peers.until(lambda: peers.connections == 1, "a connection")
    context = zmq.Context()
    raw = context.socket(zmq.DEALER)
    raw.connect(f"ipc://{peers.path}")
    for frames in HOSTILE:
        raw.send_multipart(frames or [b""])
    raw.send(pack(ListRoutes(1, "n", 0, 1)))  # well formed, but not for this server: its own business
    peers.until(lambda: peers.server is not None and peers.server.bad == len(HOSTILE), "rubbish to be counted")
    context.destroy(linger=0)
    peers.got.clear()
    peers.client.send(request(5))
    peers.until(lambda: peers.answers == [Applied(5)], "an answer")


def test_octets_that_are_not_zeromq_at_all_do_no_harm(peers: Peers) -> None:
    peers.serve()
    peers.until(lambda: peers.connections == 1, "a connection")
    for octets in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 200, os.urandom(500)):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(peers.path))
            raw.sendall(octets)
    peers.client.send(request(5))
    peers.until(lambda: peers.answers == [Applied(5)], "an answer")


def test_a_message_that_is_too_large_ends_that_connection_alone(peers: Peers) -> None:
    peers.serve()
    peers.until(lambda: peers.connections == 1, "a connection")
    context = zmq.Context()
    raw = context.socket(zmq.DEALER)
    raw.connect(f"ipc://{peers.path}")
    raw.send(bytes(17 << 20))
    peers.client.send(request(5))
    peers.until(lambda: peers.answers == [Applied(5)], "an answer")
    assert peers.got == [request(5)]
    context.destroy(linger=0)


def test_a_client_that_does_not_read_makes_sends_fail_and_stops_nobody(peers: Peers, directory: Path) -> None:
    identities: list[bytes] = []
    loop = Loop()
    server = Server(loop, directory / "other", lambda identity, *_: identities.append(identity), peers.bad.append)
    reading: list[Message] = []
    client_loop = Loop()
    client = Client(client_loop, directory / "other", reading.append, lambda: None, peers.bad.append)
    run_until(client_loop, lambda: client.connected, "a connection")
    client.send(request(1))
    run_until(loop, lambda: identities, "a request")
    client.pause_reading(True)
    message = Refused(1, "x" * 1000)
    sent = 0
    while server.send(identities[0], message):
        sent += 1
        client_loop.call_later(0, lambda: None)
        client_loop.turn()
        assert sent < 100_000
    assert server.deliver(identities[0], message) is Delivery.FULL
    assert reading == []
    client.pause_reading(False)
    run_until(client_loop, lambda: len(reading) == sent, "everything that was sent")
    client_loop.close()
    loop.close()


def test_the_socket_files_are_closed_to_others(peers: Peers) -> None:
    peers.serve()
    assert peers.path.stat().st_mode & 0o007 == 0


# Timers, signals, descriptors


def test_timers_run_in_order_and_can_be_cancelled(loop: Loop) -> None:
    ran: list[int] = []
    loop.call_later(0.02, lambda: ran.append(3))
    loop.call_later(0.01, lambda: ran.append(1))
    cancelled = loop.call_later(0.015, lambda: ran.append(2))
    cancelled.cancel()
    cancelled.cancel()
    loop.call_soon(lambda: ran.append(0))
    run_until(loop, lambda: len(ran) == 3, "timers")
    assert ran == [0, 1, 3]


def test_a_signal_runs_in_the_loop(loop: Loop) -> None:
    ran: list[str] = []
    former = signal.getsignal(signal.SIGUSR1)
    loop.on_signal(signal.SIGUSR1, lambda: ran.append("signal"))
    os.kill(os.getpid(), signal.SIGUSR1)
    run_until(loop, lambda: ran, "the signal")
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGUSR1, former)


def test_a_descriptor_that_is_watched_for_nothing_can_be_let_go(loop: Loop) -> None:
    read, write = os.pipe()
    loop.watch(read, lambda _events: None)
    loop.watch(read, lambda _events: None, read=False)
    loop.unwatch(read)
    os.close(read)
    os.close(write)


def test_a_descriptor_that_is_used_again_within_a_turn_does_not_get_its_predecessor_s_events(loop: Loop) -> None:
    heard: list[str] = []
    first, other = socket.socketpair()
    second, another = socket.socketpair()
    replaced: list[socket.socket] = []

    def replace(name: str, old: socket.socket, victim: socket.socket) -> None:
        heard.append(name)
        loop.unwatch(old.fileno())
        if replaced:
            return
        number = victim.fileno()
        loop.unwatch(number)
        victim.close()
        fresh, end = socket.socketpair()
        os.dup2(fresh.fileno(), number)
        replaced.extend((fresh, end))
        loop.watch(number, lambda _events: heard.append("fresh"))

    loop.watch(first.fileno(), lambda _events: replace("first", first, second))
    loop.watch(second.fileno(), lambda _events: replace("second", second, first))
    other.send(b"x")
    another.send(b"x")
    loop.call_later(0.05, lambda: None)
    loop.turn()
    assert len(heard) == 1
    assert "fresh" not in heard
    replaced[1].send(b"y")
    loop.turn()
    assert heard[1:] == ["fresh"]


# Events


@pytest.fixture
def broker(directory: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start brokers; the last one is ended with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        running.append(
            subprocess.Popen([sys.executable, "-m", "bus", str(directory)], cwd=ROOT, stderr=subprocess.DEVNULL)
        )
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()


def test_events_reach_taps_and_cost_nothing_without_them(
    directory: Path, loop: Loop, broker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    broker()
    publisher = Publisher(loop, directory / "events-in", "test", "epoch")
    assert not publisher.wanted("state/a")
    publisher.publish("state/a", {"state": "unheard"})
    tap = Subscriber(directory / "events", ["state/"])
    run_until(loop, lambda: publisher.wanted("state/a"), "the subscription to arrive")
    assert not publisher.wanted("update/a")
    publisher.publish("state/a", {"state": "up"})
    publisher.publish("update/a", {})
    publisher.publish("state/b", {"state": "down"})
    events = [tap.next(SECONDS), tap.next(SECONDS)]
    assert [(event.topic, event.sequence, event.data["state"]) for event in events if event] == [
        ("state/a", 2, "up"),
        ("state/b", 4, "down"),
    ]
    tap.close()
    run_until(loop, lambda: not publisher.wanted("state/a"), "the subscription to end")


def test_taps_and_publishers_find_a_broker_that_was_killed(
    directory: Path, loop: Loop, broker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    first = broker()
    publisher = Publisher(loop, directory / "events-in", "test", "epoch")
    tap = Subscriber(directory / "events", [""])
    run_until(loop, lambda: publisher.wanted("x"), "the subscription")
    first.kill()
    first.wait()
    run_until(loop, lambda: not publisher.wanted("x"), "the broker's end to be noticed")
    publisher.publish("x", {})
    broker()

    def wanted_again() -> bool:
        tap.next(0)  # a tap that reads: it subscribes anew when it does
        return publisher.wanted("x")

    run_until(loop, wanted_again, "the subscription again")
    publisher.publish("x", {})
    event = tap.next(SECONDS)
    assert event is not None
    assert event.sequence == 2  # number 1 was missed, and one can see it
    tap.close()


def test_a_tap_that_sleeps_stops_nobody(
    directory: Path, loop: Loop, broker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    broker()
    publisher = Publisher(loop, directory / "events-in", "test", "epoch")
    sleeping = Subscriber(directory / "events", [""])
    run_until(loop, lambda: publisher.wanted("x"), "the subscription")
    before = time.monotonic()
    for _ in range(20_000):
        publisher.publish("x", {"data": "x" * 1000})
    assert time.monotonic() - before < SECONDS
    sleeping.close()


def test_a_second_broker_refuses(directory: Path, broker: Callable[[], subprocess.Popen[bytes]]) -> None:
    first = broker()
    deadline = time.monotonic() + SECONDS
    while not (directory / "events").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    second = broker()
    assert second.wait(SECONDS) == 2
    assert first.poll() is None


# Locks


def test_a_lock_is_held_once_and_dies_with_its_process(directory: Path) -> None:
    path = directory / "lock"
    code = f"from bus.daemon import take_lock; from pathlib import Path; take_lock(Path({str(path)!r})); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{code}"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    deadline = time.monotonic() + SECONDS
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(AlreadyRunning, match=f"locked by process {holder.pid}"):
        take_lock(path)
    holder.kill()
    holder.wait()
    os.close(take_lock(path))

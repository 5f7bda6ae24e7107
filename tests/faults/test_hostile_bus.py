"""Whatever is written to the sockets of the run directory, nobody dies, nothing changes, and it is counted."""

from __future__ import annotations

import array
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from bus.schema import (
    KINDS,
    MESSAGE_LIMIT,
    SCHEMA,
    Answer,
    Applied,
    Apply,
    Clear,
    Command,
    Credit,
    Enrol,
    Event,
    Incoming,
    Message,
    Present,
    Pull,
    Refused,
    SessionReply,
    SessionRequest,
    Subscribe,
    pack,
    unpack,
)
from bus.transport import Subscriber
from tests.faults.live import LivePeer
from tests.faults.product import Lines, Product, neighbor, process
from tests.faults.wire import announcement, prefix_octets
from tests.root import needs_root
from tests.routers.process import PATIENCE

pytestmark = pytest.mark.system

PEER, IDLE = "127.23.5.1", "127.23.5.2"
HOLD = 3
STATIC = "203.0.113.0/24"
SERVERS = ("ribd", "control", f"peerd-{PEER}")
EVERY_SOCKET = (*SERVERS, "events-in", "events", f"peerd-{PEER}.accept", "supervisor.sock")
ATTRIBUTES = bytes((0x40, 1, 1, 0, 0x40, 3, 4, 10, 0, 0, 9))  # ORIGIN igp, NEXT_HOP 10.0.0.9
SEED = 20260101


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    directory = tmp_path_factory.mktemp("bus")
    (directory / "lines").touch()
    text = process("recorder", "recorder.py", directory / "lines")
    static = f"static {{ route {STATIC} next-hop 10.0.0.9; }}"
    text += neighbor(PEER, hold_time=HOLD, helpers=("recorder",), extra=static) + neighbor(IDLE, helpers=("recorder",))
    with Product(directory, text) as running:
        yield running


@pytest.fixture(scope="module")
def peer(product: Product) -> Iterator[LivePeer]:
    live = LivePeer(PEER, product.target, HOLD)
    product.wait(lambda: live.held and live.updates >= 2, PATIENCE, "the configured route, and the End-of-RIB")
    yield live
    live.stop()


@pytest.fixture(autouse=True)
def _nothing_changes(product: Product, peer: LivePeer) -> Iterator[None]:
    """Whatever a test writes: the same processes, session and routes afterwards, and all of it still works."""
    daemons, routes, updates = product.daemons(), set(peer.held), peer.updates
    yield
    time.sleep(0.3)
    assert product.daemons() == daemons
    assert (peer.ended, peer.held) == ("", routes)
    assert peer.updates == updates
    assert "Traceback" not in product.log()
    lines = Lines(product.directory / "lines")
    lines.new()
    sentinel = f"192.0.2.{random.SystemRandom().randrange(256)}/32"
    peer.feed([announcement([sentinel], [65001])])
    product.wait(
        lambda: any(sentinel.encode() in line for line in lines.new()), PATIENCE, "the helper to hear the peer"
    )
    assert "established" in product.ask("show", "neighbor", "summary")


class Intruder:
    """A client that may send any frames to a server."""

    def __init__(self, path: Path) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 2000)
        self._socket.connect(f"ipc://{path}")

    def send(self, *frames: bytes) -> None:
        """Send one message of these frames."""
        self._socket.send_multipart(frames)

    def answer(self, seconds: float = PATIENCE) -> Message | None:
        """Return what the server says, or None."""
        return unpack(self._socket.recv()) if self._socket.poll(int(seconds * 1000)) else None

    def close(self) -> None:
        """Close; what was sent still leaves."""
        self._context.destroy(linger=2000)


@pytest.fixture
def intrude(product: Product) -> Iterator[Callable[[str], Intruder]]:
    open_: list[Intruder] = []

    def connect(server: str) -> Intruder:
        open_.append(Intruder(product.run.path / server))
        return open_[-1]

    yield connect
    for each in open_:
        each.close()


def refusals(product: Product, server: str) -> int:
    return sum(f" {server} WARNING bad message refused" in line for line in product.log().splitlines())


def random_value(chance: random.Random, depth: int = 0) -> Any:
    """Return a value of any type that msgpack has."""
    kind = chance.randrange(9 if depth < 3 else 7)
    if kind < 7:
        return [None, True, chance.getrandbits(63), -chance.getrandbits(60), chance.random(), "text", b"octets"][kind]
    if kind == 7:
        return [random_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(["a", b"b", 3]): random_value(chance, depth + 1) for _ in range(chance.randrange(3))}


@pytest.mark.parametrize("server", SERVERS)
def test_octets_that_are_no_message_are_refused_and_counted(
    product: Product, intrude: Callable[[str], Intruder], server: str
) -> None:
    chance = random.Random(SEED)
    tap = Subscriber(product.run.events, [f"bad/{server}"])
    before = refusals(product, server)
    intruder = intrude(server)
    bad = [chance.randbytes(chance.randrange(2000)) for _ in range(100)]
    bad += [b"", b"\xc1", b"\x91" * 5000, b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"]
    bad += [msgpack.packb([SCHEMA]), msgpack.packb([SCHEMA + 1, 1]), msgpack.packb([SCHEMA, 9999, 1])]
    bad = [octets for octets in bad if not _is_message(octets)]
    for octets in bad:
        intruder.send(octets)
    intruder.send(b"two", b"frames")
    product.wait(lambda: refusals(product, server) >= before + len(bad) + 1, PATIENCE, "every refusal")

    def told() -> Event | None:
        intruder.send(b"more")  # the tap may have come too late for all that was
        return tap.next(0.5)

    assert product.wait(told, PATIENCE, "the event").data["count"] > 0
    tap.close()


def _is_message(octets: bytes) -> bool:
    try:
        unpack(octets)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("server", SERVERS)
def test_fields_of_wrong_types_are_refused(product: Product, intrude: Callable[[str], Intruder], server: str) -> None:
    chance = random.Random(SEED)
    intruder = intrude(server)
    before, sent = refusals(product, server), 0
    for kind, cls in KINDS.items():
        count = len(cls.__struct_fields__)
        for _ in range(30):
            octets = msgpack.packb([SCHEMA, kind, *(random_value(chance) for _ in range(count))])
            if not _is_message(octets):
                intruder.send(octets)
                sent += 1
        for wrong in (count - 1, count + 1, 0):
            octets = msgpack.packb([SCHEMA, kind, *([0] * wrong)])
            if not _is_message(octets):
                intruder.send(octets)
                sent += 1
    product.wait(lambda: refusals(product, server) >= before + sent, PATIENCE, f"{sent} refusals")


def test_well_formed_messages_with_senseless_values_change_nothing(
    product: Product, intrude: Callable[[str], Intruder]
) -> None:
    big, low = 2**63 - 1, -(2**63)
    ribd, peerd, control = intrude("ribd"), intrude(f"peerd-{PEER}"), intrude("control")
    shape: list[Any] = [True] * 11
    shapes: list[list[Any]] = [
        [],
        shape,
        [[]] * 11,
        [False, 1, b"", True, 4096, True, [[1]], [[]], [], True, None],
        [False, 65000, bytes(4), True, 4096, True, [[1, 1]], [], [], False, None],
        [False, 65000, bytes(4), True, 0, True, [[1, 1]], [], [], False, None],
    ]
    for position, floor in ((low, low), (big, big), (0, big), (-5, 3)):
        for wire in shapes:
            for credit in (0, low, big):
                ribd.send(pack(Pull(IDLE, 1, "", wire, [[1, 1, position, floor]], credit)))
    ribd.send(pack(Pull(IDLE, 1, "", shape, [[1]], 1)))
    ribd.send(pack(Pull("nobody", 1, "x", shape, [[70000, 300, 0, 0]], 1)))
    for change in (
        [9],
        [5, 1, 1, 1, b"", [bytes(5)]],
        [0, 2, 1, 1, b"", [bytes(5)]],
        [0, 1, 1, 1, b"\xff", [bytes(5)]],
    ):
        ribd.send(pack(Apply("intruder", "e", 1, [[PEER]], [change])))
    for change in ([0, 1, 1, 1, ATTRIBUTES, []], [0, 1, 1, 1, ATTRIBUTES, [b"x"]], [0, 1, 1, 1, ATTRIBUTES, [7]]):
        ribd.send(pack(Apply("intruder", "e", 1, [[PEER]], [change])))
    ribd.send(
        pack(Apply("intruder", "e", big, [["no such neighbor"]], [[0, 1, 1, 1, ATTRIBUTES, [bytes(4) + b"\x08\x01"]]]))
    )
    for value in (low, -1, big):
        peerd.send(pack(Credit(PEER, value)))
        peerd.send(pack(Subscribe(PEER, "ghost", value, value, value, value)))
        peerd.send(pack(Subscribe(PEER, "ghost", 0, 0, 0, 0)))
    for state in ({}, {"pid": "x", "uptime": None}, {"pid": [1], "lost": {}, "starts": -1, "commands": b""}):
        control.send(pack(Present("recorder", "e", state)))
        control.send(pack(Present("ghost\x1b[2J\n", "e", state)))
    for line in ("", "\0" * 1000, "neighbor " * 5000, "announce route " + "9" * 100_000, "show neighbor \ud7ff"):
        control.send(pack(Command(low, "recorder", line)))
    assert "recorder" in product.ask("helpers")


def test_a_replayed_request_is_acknowledged_and_not_carried_out_again(
    product: Product, peer: LivePeer, intrude: Callable[[str], Intruder]
) -> None:
    ribd = intrude("ribd")
    item = bytes(4) + prefix_octets("198.51.100.0/24")
    announce = pack(Apply("tester", "one", 1, [[PEER]], [[0, 1, 1, 1, ATTRIBUTES, [item]]]))
    withdraw = pack(Apply("tester", "one", 2, [[PEER]], [[0, 0, 1, 1, b"", [item]]]))
    before = set(peer.held)
    ribd.send(announce)
    product.wait(lambda: item[4:] in peer.held, PATIENCE, "the announcement")
    ribd.send(withdraw)
    product.wait(lambda: peer.held == before, PATIENCE, "the withdrawal")
    updates = peer.updates
    for octets in (announce, announce, withdraw, announce):
        ribd.send(octets)
    answers = [ribd.answer() for _ in range(6)]
    assert all(isinstance(answer, Applied) for answer in answers), answers
    time.sleep(0.3)
    assert (peer.held, peer.updates) == (before, updates)
    # What this test itself did is not what the fixture looks for.
    peer.updates -= 2


def _apply(epoch: str, sequence: int) -> bytes:
    item = bytes(4) + prefix_octets("198.51.100.0/24")
    return pack(Apply("lives", epoch, sequence, [[PEER]], [[0, 1, 1, 1, ATTRIBUTES, [item]]]))


def test_numbers_that_cannot_be_and_lives_that_are_over_are_refused_and_counted(
    product: Product, peer: LivePeer, intrude: Callable[[str], Intruder]
) -> None:
    ribd, before = intrude("ribd"), refusals(product, "ribd")
    for epoch in ("one", "two"):
        ribd.send(pack(Clear("lives", epoch, 1, [])))
        assert isinstance(ribd.answer(), Applied)
    wrong = [_apply("one", 1), _apply("one", 2), _apply("two", 3), _apply("two", 2**63 - 1)]
    wrong += [_apply("two", sequence) for sequence in (0, -1, -(2**63))]
    for octets in wrong:
        ribd.send(octets)
        assert isinstance(ribd.answer(), Refused)
    product.wait(lambda: refusals(product, "ribd") >= before + len(wrong), PATIENCE, "the log of all that was refused")
    assert refusals(product, "ribd") == before + len(wrong)


def test_a_life_that_is_over_is_refused_by_the_next_ribd_too(tmp_path: Path) -> None:
    with Product(tmp_path, neighbor(PEER)) as product:
        ribd = Intruder(product.run.ribd)
        for epoch in ("one", "two"):
            ribd.send(pack(Clear("lives", epoch, 1, [])))
            assert isinstance(ribd.answer(), Applied)
        former = product.daemons()["ribd"]
        os.kill(former, signal.SIGKILL)
        product.wait(lambda: product.daemons().get("ribd", former) != former, PATIENCE, "ribd to start again")
        for epoch, sequence, kind in (("one", 1, Refused), ("one", 2, Refused), ("two", 1, Applied)):
            ribd.send(_apply(epoch, sequence))
            assert isinstance(ribd.answer(), kind)
        ribd.close()


def test_every_other_socket_takes_a_replayed_message_for_what_it_is(
    product: Product, intrude: Callable[[str], Intruder]
) -> None:
    """Requests to peerd and control have numbers only for their answers; those below change nothing when repeated."""
    peerd, control = intrude(f"peerd-{PEER}"), intrude("control")
    for number in (7, 7, 2**63 - 1, -(2**63)):
        peerd.send(pack(SessionRequest(number, PEER, "status", [])))
        reply = peerd.answer()
        assert isinstance(reply, SessionReply)
        assert reply.request == number
        control.send(pack(Command(number, "", "version")))
        answer = control.answer()
        assert isinstance(answer, Answer)
        assert answer.request == number


def test_messages_that_are_too_large_end_the_connection_that_sent_them(
    product: Product, intrude: Callable[[str], Intruder]
) -> None:
    for server in SERVERS:
        intrude(server).send(bytes(MESSAGE_LIMIT + 1))
    time.sleep(0.5)
    assert max(product.memory().values()) < 300


@pytest.mark.parametrize("name", EVERY_SOCKET)
def test_octets_that_are_not_even_the_transports_harm_nobody(product: Product, name: str) -> None:
    chance = random.Random(SEED)
    path = str(product.run.path / name)
    kind = socket.SOCK_DGRAM if name.endswith(".accept") else socket.SOCK_STREAM
    for _ in range(30):
        with socket.socket(socket.AF_UNIX, kind) as sock:
            sock.settimeout(2)
            sock.connect(path)
            try:
                for _ in range(5):
                    sock.send(chance.randbytes(chance.randint(1, 3000)))
            except OSError:
                continue  # it has hung up


def test_what_the_listener_would_not_hand_over_is_not_taken(product: Product) -> None:
    path = str(product.run.path / f"peerd-{PEER}.accept")
    peerd = product.daemons()[f"peerd-{PEER}"]
    message = pack(Incoming(PEER, PEER, "127.0.0.1"))
    reader, writer = os.pipe()
    local, remote = socket.socketpair()
    unconnected = socket.socket()
    files = [[], [reader], [local.fileno()], [unconnected.fileno()], [reader, writer], [local.fileno(), reader, writer]]
    before = len(os.listdir(f"/proc/{peerd}/fd"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        for descriptors in files:
            for octets in (message, b"garbage", pack(Incoming("nobody", "", "")), pack(Credit(PEER, 1))):
                sock.sendmsg([octets], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))], 0, path)
    product.wait(lambda: len(os.listdir(f"/proc/{peerd}/fd")) <= before, PATIENCE, "every descriptor to be closed")
    for descriptor in (reader, writer):
        os.close(descriptor)
    for each in (local, remote, unconnected):
        each.close()


def connected(product: Product, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
    """Return a publisher that the broker has told what the tap of a test wants."""
    publisher = context.socket(zmq.XPUB)
    publisher.connect(f"ipc://{product.run.events_in}")
    product.wait(lambda: publisher.poll(100) and publisher.recv() == b"\x01noise", PATIENCE, "the subscription")
    return publisher


def test_garbage_among_the_events_stops_no_tap(product: Product) -> None:
    tap = Subscriber(product.run.events, ["noise", "helper/"])
    context = zmq.Context()
    publisher = connected(product, context)
    for frames in (
        [b"noise"],
        [b"noise", b"\xc1"],
        [b"noise", pack(Credit("x", 1))],
        [b"noise", b"", b"", b"", b"x" * 10],
    ):
        publisher.send_multipart(frames)
    product.wait(lambda: tap.next(0.1) is None and tap.bad == 4, PATIENCE, "the garbage")
    publisher.send_multipart([b"noise", bytes(MESSAGE_LIMIT + 1)])
    event = Event("test", "e", 1, 0.0, "noise", {"good": True})
    publisher.close()
    publisher = connected(product, context)
    publisher.send_multipart([b"noise", pack(event)])
    seen = tap.next(PATIENCE)
    context.destroy(linger=0)
    tap.close()
    assert seen == event
    assert tap.bad == 4


def test_a_tap_that_never_reads_harms_nobody(product: Product, peer: LivePeer) -> None:
    context = zmq.Context()
    sleeper = context.socket(zmq.SUB)
    sleeper.setsockopt(zmq.SUBSCRIBE, b"")
    sleeper.setsockopt(zmq.RCVHWM, 1)
    sleeper.connect(f"ipc://{product.run.events}")
    time.sleep(0.5)
    lines = Lines(product.directory / "lines")
    lines.new()
    path = list(range(64512, 64532))
    peer.feed([announcement([f"100.64.{n >> 8 & 255}.{n & 255}/32"], [65001, *path]) for n in range(30_000)])
    product.wait(lambda: any(b"100.64.117.47/32" in line for line in lines.new()), PATIENCE, "the helper to hear all")
    assert max(product.memory().values()) < 400
    context.destroy(linger=0)


@needs_root
def test_another_user_can_connect_nowhere(product: Product) -> None:
    # The directories above are the test's own; they are opened so that only bgpbus' own protection is tried.
    for parent in product.run.path.parents:
        if parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o005)
    code = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setgroups([]); os.setuid(65534)\n"
        "for path in sys.argv[1:]:\n"
        "    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "        try:\n"
        "            socket.socket(socket.AF_UNIX, kind).connect(path)\n"
        "        except PermissionError:\n"
        "            continue\n"
        "        except OSError as error:\n"
        "            print(path, error)\n"
        "        else:\n"
        "            print(path, 'connected')\n"
    )
    paths = [str(product.run.path / name) for name in EVERY_SOCKET]
    done = subprocess.run([sys.executable, "-S", "-c", code, *paths], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    for private in (product.run.settings, product.run.journal):
        assert private.stat().st_mode & 0o007 == 0


def test_clear_and_enrol_need_their_types(product: Product, intrude: Callable[[str], Intruder]) -> None:
    """The two requests that could empty the table are not carried out where anything about them is wrong."""
    ribd = intrude("ribd")
    before = refusals(product, "ribd")
    for cls in (Enrol, Clear):
        for fields in (
            ["c", "e", 1, [1]],
            ["c", "e", "1", []],
            ["c", "e", 1],
            ["c", "e", 1, [], []],
            ["c", "e", 1, None],
        ):
            ribd.send(msgpack.packb([SCHEMA, cls.KIND, *fields]))
    product.wait(lambda: refusals(product, "ribd") >= before + 10, PATIENCE, "ten refusals")

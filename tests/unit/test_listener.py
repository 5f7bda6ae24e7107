"""Which neighbor a connection belongs to."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import peerd.listener
from bgp.notification import CEASE, CONNECTION_REJECTED, Notification
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.schema import Incoming, ListenerSettings, unpack
from bus.settings import ListenerConfiguration, PassiveNeighbor, write_settings
from peerd.expected import Expected
from peerd.listener import RETRY, RETRY_HANDOVER, Listener
from tests.unit.control_stage import StillLoop


def neighbor(peer: str, local: str = "") -> PassiveNeighbor:
    """Return a neighbor that is only told from others by its addresses."""
    return PassiveNeighbor(f"{peer} {local}".strip(), "peerd-1", peer, local, b"", None, None)


NEIGHBORS = [
    neighbor("192.0.2.0/24"),
    neighbor("192.0.2.128/25"),
    neighbor("192.0.2.129"),
    neighbor("198.51.100.1", "203.0.113.1"),
    neighbor("198.51.100.1", "203.0.113.2"),
    neighbor("198.51.100.0/24", "203.0.113.3"),
    neighbor("2001:db8::1"),
    neighbor("2001:db8::/32"),
]


@pytest.mark.parametrize(
    ("peer", "local", "expected"),
    [
        ("192.0.2.129", "203.0.113.1", "192.0.2.129"),
        ("192.0.2.130", "203.0.113.1", "192.0.2.128/25"),
        ("192.0.2.1", "203.0.113.1", "192.0.2.0/24"),
        ("198.51.100.1", "203.0.113.2", "198.51.100.1 203.0.113.2"),
        ("198.51.100.1", "203.0.113.3", "198.51.100.0/24 203.0.113.3"),
        ("198.51.100.2", "203.0.113.1", None),
        ("2001:db8::1", "2001:db8::ffff", "2001:db8::1"),
        ("2001:db8::2", "2001:db8::ffff", "2001:db8::/32"),
        ("203.0.113.9", "203.0.113.1", None),
    ],
)
def test_a_connection_is_for_the_exact_address_then_the_narrowest_range(
    peer: str, local: str, expected: str | None
) -> None:
    found = Expected(NEIGHBORS).find(peer, local)
    assert (found.name if found else None) == expected


def told(run: RunDirectory, endpoints: list[list[Any]], neighbors: list[PassiveNeighbor]) -> None:
    """Write the settings that a listener reads."""
    run.settings.mkdir(exist_ok=True)
    settings = ListenerConfiguration(endpoints, [each.to_wire() for each in neighbors])
    write_settings(run.settings / "listener", ListenerSettings(settings.to_wire()))


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    """Give a listener that has read nothing yet."""
    listener = Listener(Loop(), RunDirectory(tmp_path), logging.getLogger("bgpbus.test"))
    yield listener
    for listening in listener._sockets.values():
        listening.close()
    listener._handover.close()
    listener._loop.close()


def test_who_has_a_password_that_the_kernel_does_not_take_is_refused(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_all(*_arguments: object) -> None:
        raise OSError(92, "Protocol not available")

    monkeypatch.setattr(peerd.listener, "sign_with_md5", refuse_all)
    told(listener._run, [["127.0.0.1", 0]], [replace(neighbor("127.0.0.0/8"), md5_password=b"secret")])
    listener.configure()
    (listening,) = listener._sockets.values()
    with socket.create_connection(listening.getsockname()) as peer:
        listener._accept(listening)
        assert Notification.decode(peer.recv(100)[19:]) == Notification(CEASE, CONNECTION_REJECTED)


def test_keys_are_set_before_anyone_can_connect(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    listening: list[int] = []

    def sign(sock: socket.socket, _peer: str, _password: bytes) -> None:
        listening.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))

    monkeypatch.setattr(peerd.listener, "sign_with_md5", sign)
    told(listener._run, [["127.0.0.1", 0]], [replace(neighbor("127.0.0.1"), md5_password=b"secret")])
    listener.configure()
    assert listening == [0]


def test_a_password_that_changes_is_never_unset_and_needs_no_former_one(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: dict[tuple[socket.socket, str], bytes] = {}
    unset: list[str] = []

    def sign(sock: socket.socket, peer: str, password: bytes) -> None:
        if not password:
            unset.append(peer)
            if (sock, peer) not in keys:
                raise OSError(2, "No such file or directory")
        keys[sock, peer] = password

    monkeypatch.setattr(peerd.listener, "sign_with_md5", sign)
    first, second = neighbor("127.0.0.1"), neighbor("127.0.0.2")
    for addresses, passwords in ((["127.0.0.1"], "ab"), (["127.0.0.1", "127.0.0.2"], "x"), (["127.0.0.1"], "")):
        signed = [
            replace(each, md5_password=password.encode())
            for each, password in zip((first, second), passwords, strict=False)
        ]
        told(listener._run, [[address, 0] for address in addresses], signed)
        listener.configure()
        assert listener._unprotected == set()
    assert unset == ["127.0.0.2", "127.0.0.1"]


def test_who_is_refused_reads_why_although_its_open_was_never_read(listener: Listener) -> None:
    told(listener._run, [["127.0.0.1", 0]], [])
    listener.configure()
    (listening,) = listener._sockets.values()
    with socket.create_connection(listening.getsockname()) as peer:
        for _ in range(2):
            peer.sendall(bytes(1000))
            listener._loop.turn()
        peer.settimeout(5)
        assert Notification.decode(peer.recv(100)[19:]) == Notification(CEASE, CONNECTION_REJECTED)
        assert peer.recv(100) == b""


def test_a_connection_that_waits_goes_to_who_has_its_address_by_then(listener: Listener) -> None:
    own, range_ = (
        PassiveNeighbor(name, f"peerd-{number}", name, "", b"", None, None)
        for number, name in enumerate(("127.0.0.1", "127.0.0.0/8"))
    )
    told(listener._run, [["127.0.0.1", 0]], [own, range_])
    listener.configure()
    (listening,) = listener._sockets.values()
    with socket.create_connection(listening.getsockname()), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peerd:
        listener._accept(listening)  # its peerd is not there, and will not be
        told(listener._run, [[*listening.getsockname()]], [range_])
        peerd.bind(str(listener._run.handover(range_.program)))
        peerd.settimeout(10 * RETRY_HANDOVER)
        listener._loop.call_later(3 * RETRY_HANDOVER, listener._loop.stop)
        listener.configure()
        listener._loop.run()
        octets, descriptors, _, _ = socket.recv_fds(peerd, 4096, 1)
        assert unpack(octets) == Incoming(range_.name, "127.0.0.1", "127.0.0.1")
        socket.socket(fileno=descriptors[0]).close()


def test_addresses_that_cannot_be_had_are_tried_again_together_once_in_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[tuple[str, int]] = []

    def fail(*endpoint: Any) -> None:
        attempts.append(endpoint)
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(peerd.listener, "listen", fail)
    run = RunDirectory(tmp_path)
    told(run, [[f"127.0.0.{number}", 179] for number in range(1, 5)], [])
    loop: Any = StillLoop()
    listener = Listener(loop, run, logging.getLogger("bgpbus.test"))
    for _ in range(3):
        listener.configure()  # as for SIGHUP
    attempts.clear()
    loop.run(until=4.5 * RETRY)
    assert len(attempts) == 4 * 4
    listener._handover.close()


@pytest.mark.parametrize("octets", [None, b"", b"rubbish", b"\x93\x01\x34\x80"])
def test_settings_that_cannot_be_read_leave_the_old_ones_in_force(listener: Listener, octets: bytes | None) -> None:
    told(listener._run, [["127.0.0.1", 0]], [neighbor("127.0.0.1")])
    listener.configure()
    (listening,) = listener._sockets.values()
    path = listener._run.settings / "listener"
    path.unlink()
    if octets is not None:
        path.write_bytes(octets)
    listener.reconfigure()
    assert list(listener._sockets.values()) == [listening]
    assert listener._expected.find("127.0.0.1", "127.0.0.1") is not None

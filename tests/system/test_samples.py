"""The eight programs of the mission run as they are, and do what they say."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bgp.attribute import NextHop, Origin
from bgp.attribute.as_path import AS_SEQUENCE, AsPath, Segment
from bgp.attribute.walk import frame
from bgp.family import IPV4_UNICAST
from bgp.negotiated import Negotiated
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.shared import shared
from tests.system.bed import Daemon, neighbor
from tests.system.peer import Peer, Route

SERVICE = ("100.10.0.100", 80)
FIRST = (IPV4_UNICAST, bytes(4) + b"\x18\x64\x0a\x00")  # 100.10.0.0/24
SECOND = (IPV4_UNICAST, bytes(4) + b"\x18\x64\x14\x00")  # 100.20.0.0/24
VIP = (IPV4_UNICAST, bytes(4) + b"\x20\x64\x0a\x00\x64")
RECEIVES = "encoder json; receive { parsed; updates; }"
SELF = socket.inet_aton("127.0.0.1")

ANNOUNCERS: dict[str, set[Route]] = {
    "announce.py": {FIRST, SECOND},
    "announce.sh": {FIRST, SECOND},
    "announce_no_ack.py": {FIRST},
    "announce_with_ack.py": {FIRST, SECOND},
    "detect_ack.py": {FIRST},
    "robust_announcer.py": {FIRST},
}
OTHERS = ("healthcheck.py", "receive.py")


class Bed:
    """One daemon with a neighbor for each program."""

    def __init__(self, daemon: Daemon, peers: dict[str, Peer]) -> None:
        self.daemon, self.peers = daemon, peers

    def log_has(self, text: str) -> None:
        """Wait for a line in the daemon's log."""
        wait_for(
            lambda: text in self.daemon.log.read_text(), PATIENCE, lambda: f"{text!r} in the log; {self.daemon.tail()}"
        )


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    samples = shared("mission/samples")
    directory = Path(tempfile.mkdtemp(prefix="bs", dir="/tmp"))
    with ExitStack() as stack:
        if not os.environ.get("BGPBUS_KEEP"):
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        peers = {}
        text = ""
        for number, name in enumerate((*ANNOUNCERS, *OTHERS)):
            peer = peers[name] = Peer(f"127.0.8.{number + 1}", free_port()).listen()
            stack.callback(peer.stop)
            process = name.replace(".", "-")
            body = RECEIVES if name == "receive.py" else "encoder text;"
            text += f"process {process} {{ run {samples / name}; {body} }}\n"
            changes = "neighbor-changes;" if name == "receive.py" else ""
            text += neighbor(peer, f"api {{ processes [ {process} ]; {changes} }}")
        daemon = Daemon(directory, text)
        stack.callback(daemon.clean_up)
        daemon.start()
        for peer in peers.values():
            peer.established()
        yield Bed(daemon, peers)


@pytest.mark.parametrize("name", ANNOUNCERS)
def test_a_program_announces_its_routes_with_our_address_as_next_hop(bed: Bed, name: str) -> None:
    peer = bed.peers[name]
    peer.has(ANNOUNCERS[name])
    peer.quiet()
    for octets in peer.session.table.values():
        assert frame(NextHop.FLAGS, NextHop.CODE, SELF) in octets
    assert set(peer.session.announced.values()) == {1}
    assert len(peer.sessions) == 1


def test_a_program_that_verifies_is_told_of_success(bed: Bed) -> None:
    for prefix in ("100.10.0.0/24", "100.20.0.0/24"):
        bed.log_has(f"[SUCCESS] announce route {prefix} next-hop self")
    bed.log_has("[OK] announce route 100.10.0.0/24 next-hop self")
    bed.log_has("[INFO] Route announced successfully")
    text = bed.daemon.log.read_text()
    assert "[TIMEOUT]" not in text
    assert "[ERROR]" not in text
    assert "[FATAL]" not in text


def test_a_program_that_ends_is_started_again_and_its_route_stays(bed: Bed) -> None:
    text = bed.daemon.log.read_text
    wait_for(lambda: text().count("detect_ack-py") and text().count("helper exited") >= 2, PATIENCE, "restarts")
    peer = bed.peers["detect_ack.py"]
    peer.has({FIRST})
    peer.quiet()
    assert peer.session.announced[FIRST] == 1
    assert not peer.session.withdrawn


def test_the_receiver_is_told_of_routes_and_withdrawals(bed: Bed) -> None:
    peer = bed.peers["receive.py"]
    path = AsPath((Segment(AS_SEQUENCE, (65002,)),))
    attributes = (
        frame(Origin.FLAGS, Origin.CODE, b"\x00")
        + frame(AsPath.FLAGS, AsPath.CODE, path.encode(Negotiated()))
        + frame(NextHop.FLAGS, NextHop.CODE, socket.inet_aton("192.0.2.77"))
    )
    body = b"\x00\x00" + len(attributes).to_bytes(2, "big") + attributes + b"\x18\xc6\x33\x64" + b"\x10\x0a\x01"
    peer.session.send(b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + b"\x02" + body)
    bed.log_has("[RECEIVED] 198.51.100.0/24 via 192.0.2.77")
    bed.log_has("[RECEIVED] 10.1.0.0/16 via 192.0.2.77")
    body = b"\x00\x04\x18\xc6\x33\x64\x00\x00"
    peer.session.send(b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + b"\x02" + body)
    bed.log_has("[WITHDRAWN] 198.51.100.0/24")
    assert "[WITHDRAWN] 10.1.0.0/16" not in bed.daemon.log.read_text()
    bed.log_has("[STATE] BGP session: up")


@pytest.fixture
def service_address() -> Iterator[None]:
    """Give the service's address to the loopback interface for a while."""
    if os.geteuid() != 0:
        message = "adding an address to lo needs root"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    subprocess.run(["ip", "address", "add", f"{SERVICE[0]}/32", "dev", "lo"], check=True)
    yield
    subprocess.run(["ip", "address", "delete", f"{SERVICE[0]}/32", "dev", "lo"], check=True)


@pytest.mark.usefixtures("service_address")
def test_the_health_check_announces_while_its_service_listens(bed: Bed) -> None:
    peer = bed.peers["healthcheck.py"]
    with socket.create_server(SERVICE):
        peer.has({VIP})
        peer.quiet()
        assert peer.session.announced[VIP] == 1
    peer.has(set())
    assert peer.session.withdrawn[VIP] == 1
    assert len(peer.sessions) == 1

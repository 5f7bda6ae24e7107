"""A range makes a session for each address that connects, never more than it may, and forgets who stays away."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

import peerd.range
from apid.compile import compile_configuration
from apid.config.load import load_text
from apid.config.options import Environment
from bgp.notification import CEASE, CONNECTION_REJECTED, OUT_OF_RESOURCES, PEER_DECONFIGURED, Notification
from bus.schema import FEED_STATE, Message, Pull, Subscribe
from bus.settings import PassiveNeighbor, SessionConfiguration
from peerd.expected import Expected, Owners
from peerd.range import FORGET, LOOK, Range
from peerd.requests import act_on_range

TEXT = """
neighbor 192.0.2.0/24 { router-id 10.0.0.1; local-address 192.0.2.2; local-as 65001; peer-as 65002;
    passive; family { ipv4 unicast; } }
"""
RANGE = "192.0.2.0/24"
LOCAL = "192.0.2.2"


class Clock:
    """A loop of which only the time and the timers matter."""

    def __init__(self) -> None:
        self.time = 0.0
        self.later: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.later.append((self.time + delay, callback))

    def watch(self, *_arguments: object) -> None:
        """Nothing happens on a connection."""

    unwatch = watch

    def go_on(self, seconds: float) -> None:
        end = self.time + seconds
        while due := [each for each in self.later if each[0] <= end]:
            self.later.remove(due[0])
            self.time = due[0][0]
            due[0][1]()
        self.time = end


class FakeSession:
    """A session that remembers what it is told."""

    def __init__(self, configuration: SessionConfiguration) -> None:
        self.configuration = configuration
        self.closed = False
        self.said: list[tuple[Any, ...]] = []

    def incoming(self, sock: socket.socket) -> None:
        sock.close()
        self.said.append(("incoming",))

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.said.append((name, *arguments))


class FakeSocket:
    """A connection from an address."""

    def __init__(self, address: str) -> None:
        self.address, self.sent, self.open = address, b"", True

    def getpeername(self) -> tuple[str, int]:
        return self.address, 1000

    def getsockname(self) -> tuple[str, int]:
        return LOCAL, 179

    def fileno(self) -> int:
        return 99

    def sendmsg(self, parts: list[memoryview]) -> int:
        self.sent += b"".join(parts)
        return sum(map(len, parts))

    def shutdown(self, _how: int) -> None:
        self.open = False

    def close(self) -> None:
        self.open = False


class FakeOwners(Owners):
    """The range, and other neighbors, each with its local address; `file` says which there are."""

    def __init__(self) -> None:
        self.file: tuple[tuple[str, str], ...] = ()
        self.read()

    def read(self) -> None:
        self._expected = Expected(
            PassiveNeighbor(peer, "", peer, local, b"", None, None) for peer, local in (*self.file, (RANGE, ""))
        )


class Bed:
    """A range, and what it says to ribd."""

    def __init__(self, **settings: Any) -> None:
        compiled = compile_configuration(load_text(TEXT, {}), Environment(), "test")
        [program] = compiled.peerds.values()
        configuration = replace(SessionConfiguration.from_wire(program.sessions[0]), **settings)
        self.clock = Clock()
        self.said: list[Message] = []
        self.owners = FakeOwners()
        self.range = Range(
            self.clock,  # type: ignore[arg-type]
            configuration,
            self.owners,
            FakeSession,  # type: ignore[arg-type]
            self._to_ribd,
            logging.getLogger("bgpbus.test"),
        )

    def _to_ribd(self, message: Message) -> bool:
        self.said.append(message)
        return True

    def connect(self, address: str) -> Notification | None:
        """Connect; return why it is refused."""
        sock = FakeSocket(address)
        self.range.incoming(sock)  # type: ignore[arg-type]
        assert not sock.open
        return Notification.decode(sock.sent[19:]) if sock.sent else None

    def others(self, *others: tuple[str, str]) -> None:
        """Have other neighbors beside the range."""
        self.owners.file = others
        self.owners.read()
        self.range.update(self.range.configuration)

    def session(self, address: str) -> Any:
        return self.range.sessions[f"{address}@{RANGE}"]

    @property
    def addresses(self) -> list[str]:
        return [each.configuration.peer_address for each in self.range.sessions.values()]


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_each_address_has_one_session_under_its_own_name(bed: Bed) -> None:
    for address in ("192.0.2.10", "192.0.2.9", "192.0.2.10"):
        assert bed.connect(address) is None
    assert bed.addresses == ["192.0.2.10", "192.0.2.9"]
    assert bed.session("192.0.2.10").said == [("start",), ("incoming",), ("incoming",)]
    assert bed.range.status["sessions"] == [f"192.0.2.9@{RANGE}", f"192.0.2.10@{RANGE}"]


def test_who_comes_when_there_are_as_many_as_may_be_is_told_so(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(peerd.range, "MOST", 2)
    for number in (1, 2):
        assert bed.connect(f"192.0.2.{number}") is None
    for _ in range(3):
        assert bed.connect("192.0.2.3") == Notification(CEASE, OUT_OF_RESOURCES)
    assert bed.connect("192.0.2.2") is None
    assert len([each for each in caplog.messages if "refused" in each]) == 1
    bed.session("192.0.2.2").closed = True
    assert bed.connect("192.0.2.3") is None
    assert bed.addresses == ["192.0.2.1", "192.0.2.3"]


def test_who_is_away_is_forgotten_after_a_while_and_who_came_back_is_not(bed: Bed) -> None:
    for number in (1, 2, 3):
        bed.connect(f"192.0.2.{number}")
    for number in (1, 2):
        bed.session(f"192.0.2.{number}").closed = True
    bed.clock.go_on(FORGET - LOOK)
    bed.session("192.0.2.2").closed = False
    bed.connect("192.0.2.2")
    bed.session("192.0.2.2").closed = True  # once more, before anybody has looked
    bed.clock.go_on(3 * LOOK)
    assert bed.addresses == ["192.0.2.2", "192.0.2.3"]
    bed.clock.go_on(FORGET - 4 * LOOK)
    assert bed.addresses == ["192.0.2.2", "192.0.2.3"]
    bed.clock.go_on(2 * LOOK)
    assert bed.addresses == ["192.0.2.3"]


def test_bridges_hear_of_sessions_that_come_after_they_subscribed_and_of_those_before(bed: Bed) -> None:
    bed.connect("192.0.2.1")
    request = Subscribe(RANGE, "p", 1 << FEED_STATE, 0, 0, 100)
    bed.range.subscribe(b"bridge", request)
    bed.connect("192.0.2.2")
    for address in ("192.0.2.1", "192.0.2.2"):
        told = ("subscribe", b"bridge", replace(request, neighbor=f"{address}@{RANGE}"))
        assert bed.session(address).said.count(told) == 1
    bed.range.subscribe(b"bridge", replace(request, kinds=0))
    bed.connect("192.0.2.3")
    assert bed.session("192.0.2.3").said == [("start",), ("incoming",)]


def test_who_has_spoken_keeps_no_session_waiting_whenever_it_comes() -> None:
    bed = Bed(speakers=["p", "q"])
    bed.connect("192.0.2.1")
    bed.range.spoken(b"bridge", "p")
    bed.connect("192.0.2.2")
    assert bed.session("192.0.2.1").said[-1] == ("spoken", b"bridge", "p")
    assert [bed.session(f"192.0.2.{number}").configuration.speakers for number in (1, 2)] == [["p", "q"], ["q"]]


def test_end_of_rib_waits_for_helpers_from_the_start_of_the_range() -> None:
    bed = Bed(announcers=["p", "q"], end_of_rib_wait=10.0)
    bed.clock.go_on(4)
    bed.range.settled("q")
    bed.connect("192.0.2.1")
    configuration = bed.session("192.0.2.1").configuration
    assert (configuration.announcers, configuration.end_of_rib_wait) == (["p"], 6.0)
    bed.range.settled("p")
    assert bed.session("192.0.2.1").said[-1] == ("settled", "p")
    bed.clock.go_on(7)
    bed.connect("192.0.2.2")
    configuration = bed.session("192.0.2.2").configuration
    assert (configuration.announcers, configuration.end_of_rib_wait) == ([], 0.0)


def test_a_range_that_is_shut_makes_no_sessions(bed: Bed) -> None:
    bed.connect("192.0.2.1")
    bed.range.shut("at noon")
    assert bed.session("192.0.2.1").said[-1] == ("shut", "at noon")
    assert bed.connect("192.0.2.2") == Notification(CEASE, CONNECTION_REJECTED)
    bed.range.shut(None)
    assert bed.connect("192.0.2.2") is None
    assert bed.session("192.0.2.2").configuration.shut is None


def test_ribd_is_told_last_that_there_are_no_others(bed: Bed) -> None:
    bed.connect("192.0.2.1")
    bed.range.connected_to_ribd()
    assert bed.session("192.0.2.1").said[-1] == ("connected_to_ribd",)
    assert bed.said == [Pull(RANGE, 0, "", [], [], 0)]


def test_what_a_range_is_asked_its_sessions_do(bed: Bed) -> None:
    assert act_on_range(bed.range, "teardown", ["4"]) == (f"no address of {RANGE} has a session", {})
    bed.connect("192.0.2.1")
    assert act_on_range(bed.range, "teardown", ["4"]) == ("", {})
    assert bed.session("192.0.2.1").said[-1] == ("teardown", 4)
    assert act_on_range(bed.range, "nonsense", []) == ("unknown action nonsense", {})


def test_an_address_is_the_ranges_unless_another_neighbor_has_it(bed: Bed) -> None:
    for number in (1, 2, 3):
        bed.connect(f"192.0.2.{number}")
    second = bed.session("192.0.2.2")
    bed.others(("192.0.2.2", ""), ("192.0.2.3", "192.0.2.99"), ("192.0.2.4", LOCAL))
    assert second.said[-1] == ("stop", "the address is another neighbor's", PEER_DECONFIGURED)
    for number in (1, 3):
        assert bed.session(f"192.0.2.{number}").said == [("start",), ("incoming",)]
    for number in (2, 4):
        assert bed.connect(f"192.0.2.{number}") == Notification(CEASE, CONNECTION_REJECTED)
    assert bed.addresses == ["192.0.2.1", "192.0.2.3"]
    assert not bed.range.closed
    bed.others()
    assert bed.connect("192.0.2.2") is None
    assert bed.session("192.0.2.2") is not second


def test_an_address_that_connects_before_it_is_known_to_be_the_ranges_again_is_taken(bed: Bed) -> None:
    bed.others(("192.0.2.1", ""), ("192.0.2.2", ""))
    bed.owners.file = (("192.0.2.2", ""),)
    assert bed.connect("192.0.2.1") is None
    assert bed.connect("192.0.2.2") == Notification(CEASE, CONNECTION_REJECTED)


def test_a_narrower_range_has_its_addresses(bed: Bed) -> None:
    for number in (1, 130):
        bed.connect(f"192.0.2.{number}")
    bed.others(("192.0.2.128/25", LOCAL))
    assert bed.addresses == ["192.0.2.1"]


def test_a_range_is_not_closed_before_the_session_that_it_had_to_give_up(bed: Bed) -> None:
    bed.connect("192.0.2.1")
    session = bed.session("192.0.2.1")
    bed.others(("192.0.2.1", ""))
    assert not bed.range.closed
    session.closed = True
    assert bed.range.closed


def test_who_is_away_is_looked_for_though_an_address_was_given_up_meanwhile(bed: Bed) -> None:
    for number in (1, 2):
        bed.connect(f"192.0.2.{number}")
        bed.session(f"192.0.2.{number}").closed = True
    bed.clock.go_on(LOOK)
    bed.others(("192.0.2.1", ""))
    bed.clock.go_on(FORGET + LOOK)
    assert bed.addresses == []

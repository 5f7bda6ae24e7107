"""The session's driver towards ribd: one question at a time, and only answers to the present one are taken."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from apid.compile import compile_configuration
from apid.config.load import load_text
from apid.config.options import Environment, TcpOptions
from bgp import event as ev
from bgp.action import Deliver, Down, RefreshReceived, Up
from bgp.family import IPV4_UNICAST
from bgp.message import KEEPALIVE, MessageType, build, split_messages
from bgp.negotiate import SessionFacts
from bgp.negotiated import Negotiated
from bgp.operational import ASM, advisory
from bgp.pack import end_of_rib
from bgp.refresh import Refresh, RefreshSubtype
from bgp.settings_wire import settings_from_wire
from bus.schema import FEED_STATE, WHERE, Batch, Feed, Message, Pull, Resync, Subscribe
from bus.settings import SessionConfiguration
from bus.transport import Delivery
from peerd.connections import Connections
from peerd.outbound import Outbound
from peerd.requests import act
from peerd.sender import LOW_WATER, REASONS
from peerd.session import SPEAKERS_SECONDS, Session
from tests.unit.rib_bench import FakeLoop, FakePublisher

TEXT = """
neighbor 192.0.2.1 { router-id 10.0.0.1; local-address 192.0.2.2; local-as 65001; peer-as 65002;
    passive; family { ipv4 unicast; } capability { route-refresh; } }
"""


class Wire:
    """A connection: what was sent, and how much waits."""

    def __init__(self) -> None:
        self.sent = b""
        self.queued = 0
        self.accepted = 0
        self.closed = False

    def send(self, octets: bytes) -> None:
        self.sent += octets
        self.accepted += len(octets)

    def pause_reading(self, _paused: bool) -> None:
        """Nobody reads here."""

    def kinds(self) -> list[int]:
        """Return and forget the types of the messages that were sent."""
        sent, self.sent = self.sent, b""
        return [message[18] for message in split_messages(sent)]


class Bed:
    """An established session without TCP."""

    def __init__(
        self,
        refresh: str = "enhanced",
        there: bool = True,
        text: str = TEXT,
        stale_routes: bool = False,
        attempts: int = 0,
        spoken: bool = True,
    ) -> None:
        environment = replace(Environment(), tcp=TcpOptions(attempts=attempts))
        compiled = compile_configuration(load_text(text, {}), environment, "test")
        [settings] = compiled.peerds.values()
        self.loop = FakeLoop()
        self.asked: list[Pull] = []
        self.told: list[tuple[bytes, Message]] = []
        self.spent: list[bool] = []
        self.there = there
        self.session: Any = Session(
            self.loop,  # type: ignore[arg-type]
            SessionConfiguration.from_wire(settings.sessions[0]),
            self._to_ribd,
            self._to_bridge,
            FakePublisher(),  # type: ignore[arg-type]
            logging.getLogger("bgpbus.test"),
            lambda: self.spent.append(self.session.spent),
        )
        self.wire = Wire()
        connections: Any = self.session._connections
        connections._open = {1: self.wire}
        greeting = settings_from_wire(self.session.configuration.protocol).open().message()
        self.session.start()
        negotiated = Negotiated(refresh=refresh, graceful_restart=stale_routes, stale_routes=stale_routes)
        self._ready = Up(1, negotiated, SessionFacts(), greeting, greeting)
        self.come_up()
        for helper in self.session.configuration.speakers if spoken else ():
            self.session.spoken(helper.encode(), helper)

    def come_up(self) -> None:
        self.session._up(self._ready)

    @property
    def outbound(self) -> Outbound:
        outbound: Outbound = self.session._established.sender.outbound
        return outbound

    def _to_ribd(self, message: Message) -> bool:
        assert isinstance(message, Pull)
        self.asked.append(message)
        return self.there

    def _to_bridge(self, identity: bytes, message: Message) -> Delivery:
        self.told.append((identity, message))
        return Delivery.QUEUED

    def answer(self, position: int, floor: int, octets: bytes = b"", request: int | None = None) -> None:
        number = self.asked[-1].request if request is None else request
        self.session.batch(Batch("192.0.2.1", number, "line", [[1, 1, position, floor]], octets, 0, []))


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_the_next_question_follows_the_answer(bed: Bed) -> None:
    assert [pull.cursors for pull in bed.asked] == [[[1, 1, 0, -1]]]
    bed.answer(5, 5)
    assert bed.asked[-1].cursors == [[1, 1, 5, 5]]
    assert bed.asked[-1].lineage == "line"
    assert len(bed.asked) == 2
    assert bed.wire.sent == end_of_rib(IPV4_UNICAST)


def test_no_question_while_much_waits_for_the_socket(bed: Bed) -> None:
    bed.wire.queued = LOW_WATER + 1
    bed.answer(5, 9)
    assert len(bed.asked) == 1
    bed.wire.queued = 0
    bed.session._connections._progress(1, 1)
    assert len(bed.asked) == 2


def test_an_answer_to_an_earlier_question_is_not_taken(bed: Bed) -> None:
    bed.answer(5, 5)
    bed.wire.kinds()
    bed.answer(9, 9, end_of_rib(IPV4_UNICAST), request=bed.asked[0].request)
    assert bed.wire.sent == b""
    assert bed.outbound.to_wire() == [[1, 1, 5, 5]]


@pytest.mark.parametrize("queued", [0, LOW_WATER + 1])
def test_a_refresh_is_not_forgotten_for_the_answer_that_was_on_its_way(bed: Bed, queued: int) -> None:
    bed.answer(5, 5)
    bed.wire.kinds()
    under_way = bed.asked[-1].request
    bed.wire.queued = queued
    assert act(bed.session, "resend", []) == ("", {})
    assert bed.wire.kinds() == [MessageType.ROUTE_REFRESH]
    bed.answer(7, 5, end_of_rib(IPV4_UNICAST), request=under_way)
    assert bed.wire.sent == b""
    assert bed.outbound.to_wire() == [[1, 1, 0, 5]]
    bed.wire.queued = 0
    bed.session._connections._progress(1, 1)
    bed.answer(7, 5)
    assert bed.asked[-1].cursors == [[1, 1, 7, WHERE]]
    bed.answer(7, 7)
    assert bed.wire.kinds() == [MessageType.ROUTE_REFRESH]  # End-of-RR


def test_a_peer_that_asks_again_and_again_has_one_pull_in_a_turn_and_none_before_the_answer(bed: Bed) -> None:
    bed.answer(5, 5)
    bed.wire.kinds()
    for _ in range(3):
        before = len(bed.asked)
        for _ in range(3):
            for _ in range(1000):
                bed.session._perform(RefreshReceived(1, Refresh(IPV4_UNICAST)))
            bed.loop.turn()
        assert [pull.cursors for pull in bed.asked[before:]] == [[[1, 1, 0, 5]]]
        assert bed.wire.kinds() == [MessageType.ROUTE_REFRESH]
        bed.answer(3, 5)
    bed.answer(5, 5)
    bed.answer(5, 5)
    assert bed.wire.kinds() == [MessageType.ROUTE_REFRESH]


def test_a_session_that_ends_is_not_asked_for_what_its_peer_wanted_again(bed: Bed) -> None:
    bed.answer(5, 5)
    bed.session._perform(RefreshReceived(1, Refresh(IPV4_UNICAST)))
    bed.session._down(Down(1, "closed", established=True))
    before = [*bed.asked]
    bed.loop.turn()
    assert bed.asked == before


def test_a_refresh_of_a_family_that_never_had_a_route_has_its_end_with_the_first_answer(bed: Bed) -> None:
    bed.answer(0, 0)
    bed.wire.sent = b""
    assert act(bed.session, "resend", []) == ("", {})
    bed.answer(0, 0)
    begin, end = split_messages(bed.wire.sent)
    assert (begin[21], end[21]) == (RefreshSubtype.BEGIN, RefreshSubtype.END)


def test_a_ribd_that_comes_back_is_asked_the_same_again(bed: Bed) -> None:
    bed.answer(5, 5)
    bed.session.connected_to_ribd()
    assert bed.asked[-1].cursors == bed.asked[-2].cursors
    assert bed.asked[-1].request > bed.asked[-2].request


def test_a_ribd_that_is_away_is_asked_when_it_is_there() -> None:
    bed = Bed(there=False)
    bed.session._pull()
    assert len(bed.asked) == 2  # both failed
    bed.there = True
    bed.session.connected_to_ribd()
    bed.session._pull()
    assert len(bed.asked) == 3


def test_another_lineage_sends_the_table_again_between_markers(bed: Bed) -> None:
    bed.answer(5, 5)
    bed.wire.kinds()
    bed.session.resync(Resync("192.0.2.1", bed.asked[-1].request, "other", "why"))
    assert bed.wire.kinds() == [MessageType.ROUTE_REFRESH]
    assert bed.asked[-1].cursors == [[1, 1, 0, -1]]
    assert bed.asked[-1].lineage == ""
    bed.answer(2, 2)
    assert bed.wire.kinds() == [MessageType.ROUTE_REFRESH]


def test_another_lineage_ends_a_session_that_cannot_sweep() -> None:
    bed = Bed(refresh="normal")
    torn_down: list[int] = []
    bed.session.teardown = lambda subcode, *_: torn_down.append(subcode)
    bed.session.resync(Resync("192.0.2.1", bed.asked[-1].request, "other", "why"))
    assert torn_down == [4]


HELD = TEXT.replace("route-refresh;", "route-refresh; graceful-restart 60;").replace(
    "neighbor", "process one { run /bin/cat; encoder text; } process two { run /bin/cat; encoder text; } neighbor"
)
WITH_HELPERS = HELD.replace("capability", "api { processes [ one, two ]; } capability")


def test_end_of_rib_waits_for_every_helper_and_for_what_they_announced() -> None:
    bed = Bed(text=WITH_HELPERS, stale_routes=True)
    bed.answer(5, 5)
    bed.session.settled("one")
    assert len(bed.asked) == 2
    bed.session.settled("two")
    assert bed.asked[-1].cursors == [[1, 1, 5, WHERE]]
    bed.answer(6, 7)
    assert bed.wire.sent == b""
    bed.answer(7, 5)
    assert bed.asked[-1].cursors == [[1, 1, 7, WHERE]]
    assert bed.wire.sent == b""
    bed.answer(7, 7)
    assert bed.wire.sent == end_of_rib(IPV4_UNICAST)


def test_end_of_rib_waits_for_helpers_no_longer_than_they_are_given() -> None:
    bed = Bed(text=WITH_HELPERS, stale_routes=True)
    bed.answer(5, 5)
    bed.loop.pass_time(30)
    bed.answer(5, 5)
    assert bed.wire.sent == end_of_rib(IPV4_UNICAST)


@pytest.mark.parametrize(("text", "stale_routes"), [(HELD, True), (WITH_HELPERS, False)])
def test_end_of_rib_waits_for_nobody_where_none_announces_or_the_peer_kept_nothing(
    text: str, stale_routes: bool
) -> None:
    bed = Bed(text=text, stale_routes=stale_routes)
    bed.answer(5, 5)
    assert bed.wire.sent == end_of_rib(IPV4_UNICAST)


def test_a_refresh_before_a_graceful_end_of_rib_has_no_markers_and_one_after_it_has() -> None:
    bed = Bed(text=HELD, stale_routes=True)
    bed.answer(3, 5)
    assert act(bed.session, "resend", []) == ("", {})
    bed.answer(5, 5)
    bed.answer(5, 5)
    assert bed.wire.sent == end_of_rib(IPV4_UNICAST)
    bed.wire.kinds()
    assert act(bed.session, "resend", []) == ("", {})
    bed.answer(5, 5)
    bed.answer(5, 5)
    begin, end = split_messages(bed.wire.sent)
    assert (begin[21], end[21]) == (RefreshSubtype.BEGIN, RefreshSubtype.END)


def test_another_lineage_before_a_graceful_end_of_rib_ends_the_session_for_the_peer_cannot_be_told_to_sweep() -> None:
    bed = Bed(text=HELD, stale_routes=True)
    bed.answer(3, 5)
    torn_down: list[int] = []
    bed.session.teardown = lambda subcode, *_: torn_down.append(subcode)
    bed.session.resync(Resync("192.0.2.1", bed.asked[-1].request, "other", "why"))
    assert torn_down == [4]
    assert bed.wire.sent == b""


def test_ribd_learns_when_tcp_has_taken_what_waited_and_its_answer_still_counts(bed: Bed) -> None:
    bed.answer(5, 5)
    assert bed.asked[-1].written == []
    bed.wire.queued = 100
    bed.answer(8, 5, end_of_rib(IPV4_UNICAST))
    question = bed.asked[-1]
    assert (question.cursors, question.written) == ([[1, 1, 8, 5]], [5])
    bed.wire.queued = 1
    bed.session._pull()
    assert bed.asked[-1] is question
    bed.wire.queued = 0
    bed.session._pull()
    assert bed.asked[-1] == replace(question, written=[])
    bed.answer(9, 5, end_of_rib(IPV4_UNICAST))
    assert bed.asked[-1].cursors == [[1, 1, 9, 5]]


def test_a_peer_that_takes_some_of_what_waits_for_it_is_not_held_to_take_nothing() -> None:
    bed = Bed()
    events: list[ev.PeerEvent] = []
    bed.session._connections._on_event = events.append
    for queued, sent in [(5000, 0), (4000, 1000), (0, 4000)]:
        bed.wire.queued = queued
        bed.session._connections._progress(1, sent)
    assert events == [ev.SendBlocked(1), ev.SendProgress(1, pending=True), ev.SendProgress(1, pending=False)]


def test_what_a_session_cannot_send_is_an_error_with_its_reason() -> None:
    bed = Bed(refresh="absent")
    refused = {
        ("refresh", "1", "1"): "route refresh was not negotiated",
        ("eor", "2", "1"): "ipv6 unicast was not negotiated",
        ("operational", "00"): "operational messages were not negotiated",
        ("dance",): "unknown action dance",
    }
    for (action, *arguments), reason in refused.items():
        assert act(bed.session, action, arguments) == (reason, {})
    assert act(Bed().session, "refresh", ["2", "1"]) == ("ipv6 unicast was not negotiated", {})
    bed.session._established = None
    assert act(bed.session, "resend", []) == ("the session is not established", {})


@pytest.mark.parametrize(
    "request_", [("refresh", "70000", "1"), ("refresh", "1", "256"), ("eor", "-1", "1"), ("teardown", "256")]
)
def test_a_number_that_has_no_room_in_its_field_is_refused_and_the_session_stays(request_: tuple[str, ...]) -> None:
    bed = Bed()
    with pytest.raises(ValueError, match="a number up to"):
        act(bed.session, request_[0], [*request_[1:]])
    assert bed.session.established is not None


ADVISORY = advisory(ASM, IPV4_UNICAST, "hello").message()


@pytest.mark.parametrize(
    "octets",
    [b"", ADVISORY[:18], ADVISORY[:-1], ADVISORY + b"x", ADVISORY * 2, KEEPALIVE, build(3), build(3, b"\x06\x02")],
)
def test_only_a_whole_operational_message_is_sent_as_one(bed: Bed, octets: bytes) -> None:
    established = bed.session.established
    established.negotiated = replace(established.negotiated, operational=True)
    assert act(bed.session, "operational", [ADVISORY.hex()]) == ("", {})
    with pytest.raises(ValueError, match="a whole OPERATIONAL message expected"):
        act(bed.session, "operational", [octets.hex()])
    assert bed.wire.sent == ADVISORY


BEGIN, END = (Refresh(IPV4_UNICAST, subtype) for subtype in (RefreshSubtype.BEGIN, RefreshSubtype.END))


def update(number: int) -> bytes:
    """Return an UPDATE that announces 10.9.N.0/24."""
    attributes = bytes.fromhex("40010100 4002060201 0000FDEA 400304C0000201")
    return build(MessageType.UPDATE, bytes((0, 0, 0, len(attributes))) + attributes + bytes((24, 10, 9, number)))


def held_after(bed: Bed, *received: bytes | Refresh) -> int:
    """Return how many routes a session holds after it has received this."""
    for each in received:
        bed.session._perform(RefreshReceived(1, each) if isinstance(each, Refresh) else Deliver(1, [each]))
    count: int = bed.session.adj_rib_in.count(IPV4_UNICAST)
    return count


def test_what_a_peer_does_not_announce_between_the_markers_of_a_refresh_is_gone(bed: Bed) -> None:
    assert held_after(bed, update(1), update(2), BEGIN, update(1)) == 2
    assert held_after(bed, END) == 1
    assert held_after(bed, update(3), END) == 2


def test_a_refresh_that_a_graceful_peer_begins_before_its_end_of_rib_is_ignored() -> None:
    bed = Bed(text=HELD, stale_routes=True)
    assert held_after(bed, update(1), update(2), BEGIN, update(1), END) == 2
    assert held_after(bed, end_of_rib(IPV4_UNICAST), BEGIN, update(1), END) == 1


DIALS = TEXT.replace("passive;", "")


def attempts(bed: Bed) -> list[bytes]:
    """Return whom a session told that the first attempt at it is over."""
    return [identity for identity, message in bed.told if isinstance(message, Feed) and message.items[0][1] == 6]


@pytest.fixture
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connections, "dial", lambda _self, _handle: None)
    monkeypatch.setattr(Session, "_arm", lambda _self: None)


@pytest.mark.usefixtures("nobody_there")
def test_a_first_attempt_is_over_once_the_peer_has_all_routes_and_each_who_asks_is_told_once() -> None:
    bed = Bed(text=DIALS)
    for _ in range(3):  # however often it asks: what waits is bounded by who is connected
        bed.session.spoken(b"one", "p")
    bed.answer(5, 9)
    assert attempts(bed) == []
    bed.answer(9, 9)
    assert attempts(bed) == [b"one"]
    bed.session.spoken(b"two", "q")
    bed.answer(12, 12)
    assert attempts(bed) == [b"one", b"two"]


@pytest.mark.usefixtures("nobody_there")
def test_a_first_attempt_is_over_when_it_fails() -> None:
    bed = Bed(text=DIALS)
    bed.session.spoken(b"one", "p")
    bed.session._handle(ev.ConnectFailed(7, "refused"))
    assert attempts(bed) == [b"one"]


@pytest.mark.usefixtures("nobody_there")
@pytest.mark.parametrize(("attempts", "told"), [(0, []), (1, [True, False]), (2, [])])
def test_a_session_tells_when_its_attempts_are_used_up_and_when_it_is_to_try_anew(
    attempts: int, told: list[bool]
) -> None:
    bed = Bed(text=DIALS, attempts=attempts)
    bed.session._connections._open.clear()
    bed.session._handle(ev.ConnectFailed(1, "refused"))
    bed.loop.turn()
    assert bed.session.spent == bool(told)
    bed.session._handle(ev.Stop())
    bed.loop.turn()
    assert bed.spent == told
    assert not bed.session.spent


def with_helpers() -> Bed:
    """Return a session of two helpers that is up, and about which nobody has said anything."""
    helpers = "".join(f"process {name} {{ run /bin/cat; encoder text; }}" for name in "pq")
    return Bed(text=helpers + TEXT.replace("passive;", "passive; api { processes [ p q ]; }"), spoken=False)


def test_the_first_routes_wait_until_all_helpers_have_spoken_whatever_else_happens() -> None:
    bed = with_helpers()
    bed.session.connected_to_ribd()
    bed.session._pull()
    for _ in range(2):
        bed.session.spoken(b"p", "p")
    for action in ("eor", "refresh", "resend"):
        assert act(bed.session, action, ["1", "1"])[0] == "the session has not been sent its first routes"
    assert bed.asked == []
    assert bed.wire.sent == b""
    bed.session.spoken(b"q", "q")
    bed.session.spoken(b"p", "p")
    assert [pull.cursors for pull in bed.asked] == [[[1, 1, 0, -1]]]


def test_the_first_routes_wait_for_helpers_for_a_bounded_time_and_later_sessions_do_not_wait_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bed = with_helpers()
    bed.session.spoken(b"p", "p")
    bed.loop.pass_time(SPEAKERS_SECONDS)
    assert len(bed.asked) == 1
    assert "missing=['q']" in caplog.text
    bed.session._down(Down(1, True, "ended"))
    bed.come_up()
    assert bed.asked[-1].cursors == [[1, 1, 0, -1]]


def test_a_session_that_comes_up_after_its_helpers_have_spoken_does_not_wait() -> None:
    bed = with_helpers()
    bed.session._down(Down(1, True, "ended"))
    for helper in "pq":
        bed.session.spoken(helper.encode(), helper)
    bed.asked.clear()
    bed.come_up()
    assert len(bed.asked) == 1


def test_there_is_no_first_attempt_at_a_passive_session(bed: Bed) -> None:
    bed.session.spoken(b"one", "p")
    assert attempts(bed) == [b"one"]


def test_of_connections_that_wait_for_a_session_to_begin_the_last_is_taken(bed: Bed) -> None:
    bed.session._begun = False
    sockets = [SimpleNamespace(number=number, closed=False) for number in range(3)]
    for sock in sockets:
        sock.close = lambda sock=sock: setattr(sock, "closed", True)
        bed.session.incoming(sock)
    assert [sock.closed for sock in sockets] == [True, True, False]
    taken: list[SimpleNamespace] = []
    bed.session._connections.incoming = taken.append
    bed.session._begin()
    assert taken == sockets[2:]


def test_a_bridge_without_credit_hears_how_a_session_ended_that_begins_anew(bed: Bed) -> None:
    bed.session.subscribe(b"one", Subscribe("192.0.2.1", "p", 1 << FEED_STATE, 0, 0, 0))
    assert bed.told == []
    bed.session._handle = lambda _event: bed.session._down(Down(1, "stop", established=True))
    bed.session.stop("configuration changed")
    items = [octets for _, feed in bed.told if isinstance(feed, Feed) for _, kind, octets in feed.items]
    assert items == [b"up", b"down - stop"]


def test_reasons_for_withheld_routes_are_logged_once_and_not_kept_without_end(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING"):
        for number in range(3 * REASONS):
            reasons = ["always the same", f"next hop 2001:db8::{number:x}"]
            request = bed.asked[-1].request
            bed.session.batch(Batch("192.0.2.1", request, "line", [[1, 1, number, 0]], b"", 0, reasons))
    assert len(bed.session._established.sender._withheld) <= REASONS
    assert caplog.text.count("always the same") <= 4


def test_why_the_last_session_ended_is_told_after_the_next_one_has_begun() -> None:
    bed = Bed()
    bed.session._down(Down(1, "hold timer expired", established=True))
    bed.session._connect_failed("Connection refused")
    assert bed.session.status["last_error"] == "Connection refused"
    bed.session._up(Up(1, Negotiated(), SessionFacts(), b"", b""))
    status = bed.session.status
    assert (status["state"], status["last_error"]) == ("up", "hold timer expired")
    assert status["last_error_at"] > 0

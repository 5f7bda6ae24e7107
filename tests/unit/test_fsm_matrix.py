"""The state machine of a connection: every state against every event, as a golden file; and its timers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bgp.action import Action, Close, Deliver, Down, Heard, Opened, RefreshReceived, Send, StateChange, Up
from bgp.errors import NotifyError
from bgp.event import (
    Closed,
    Connected,
    ConnectFailed,
    ConnectionEvent,
    Disconnect,
    Failed,
    Received,
    SendBlocked,
    SendProgress,
    Tick,
)
from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.fsm import Connection, State
from bgp.message import KEEPALIVE, build, message_name
from bgp.negotiate import negotiate_messages
from bgp.notification import Notification
from bgp.open import Open
from bgp.refresh import Refresh
from bgp.settings import SessionSettings
from tests.unit.session_vectors import GOLDEN

LOCAL = bytes((127, 0, 0, 1))
REMOTE = bytes((127, 0, 0, 2))
SETTINGS = SessionSettings(
    bytes((10, 0, 0, 1)), 65001, 65002, hold_time=90, families=(IPV4_UNICAST,), route_refresh=True
)
THEIRS = SessionSettings(bytes((10, 0, 0, 2)), 65002, 65001, hold_time=90, families=(IPV4_UNICAST,), route_refresh=True)
OPEN = THEIRS.open().message()
UPDATE = build(2, bytes(4))
CEASE = Notification(6, 4).message()

STATES = ["CONNECT", "WAITING", "OPENSENT", "OPENCONFIRM", "ESTABLISHED", "IDLE"]


def connection(state: str, settings: SessionSettings = SETTINGS, open_octets: bytes = OPEN) -> Connection:
    """Bring a connection into a state at time 0; WAITING is for the peer's OPEN, to learn our own AS."""
    if state == "WAITING":
        settings = replace(settings, local_as=None)
    machine = Connection(1, settings, False, 0.0)
    if state != "CONNECT":
        machine.handle(Connected(1, LOCAL, REMOTE), 0.0)
    if state in ("OPENCONFIRM", "ESTABLISHED"):
        machine.handle(Received(1, open_octets), 0.0)
    if state == "ESTABLISHED":
        machine.handle(Received(1, KEEPALIVE), 0.0)
    if state == "IDLE":
        machine.handle(Closed(1), 0.0)
    assert machine.state == (State.CONNECT if state == "WAITING" else state)
    return machine


EVENTS: list[tuple[str, ConnectionEvent]] = [
    ("connected", Connected(1, LOCAL, REMOTE)),
    ("connect failed", ConnectFailed(1, "refused")),
    ("closed", Closed(1)),
    ("OPEN", Received(1, OPEN)),
    ("OPEN of a wrong AS", Received(1, replace(THEIRS, local_as=65009).open().message())),
    ("OPEN and KEEPALIVE", Received(1, OPEN + KEEPALIVE)),
    ("KEEPALIVE", Received(1, KEEPALIVE)),
    ("UPDATE", Received(1, UPDATE)),
    ("NOTIFICATION", Received(1, CEASE)),
    ("ROUTE-REFRESH", Received(1, Refresh(IPV4_UNICAST).message())),
    ("ROUTE-REFRESH of 5 octets", Received(1, build(5, bytes(5)))),
    ("OPERATIONAL", Received(1, build(6, bytes.fromhex("00010003000101")))),
    ("bad marker", Received(1, bytes(19))),
    ("part of a message", Received(1, KEEPALIVE[:7])),
    ("no octets", Received(1, b"")),
    ("failed 3/1", Failed(1, NotifyError(3, 1, "seen by the decoder"))),
    ("send blocked", SendBlocked(1)),
    ("send progress, pending", SendProgress(1, True)),
    ("send progress, done", SendProgress(1, False)),
    ("disconnect 6/7", Disconnect(1, Notification(6, 7), "collision")),
    ("disconnect in silence", Disconnect(1, None, "graceful")),
    ("tick at 0", Tick()),
]


def show(action: Action) -> str:
    match action:
        case Send(octets=octets) if octets[18] == 3:
            notification = Notification.decode(octets[19:])
            data = f" {notification.data[:40].hex()}" if notification.data else ""
            return f"send {notification.code}/{notification.subcode}{data}"
        case Send(octets=octets):
            return f"send {message_name(octets[18])}"
        case Close(abort=abort):
            return "abort" if abort else "close"
        case Down(reason=reason, established=established):
            return f"down{' (was up)' if established else ''}: {reason}"
        case Deliver(messages=messages):
            return f"deliver {len(messages)}"
        case Heard(message=message):
            return f"heard {message_name(message[18])}"
        case StateChange(state=state):
            return f"-> {state}"
        case Up() | Opened() | RefreshReceived():
            return type(action).__name__.lower()
    return repr(action)


def matrix() -> str:
    lines = []
    for state in STATES:
        for name, event in EVENTS:
            machine = connection(state)
            actions = "; ".join(map(show, machine.handle(event, 0.0))) or "nothing"
            lines.append(f"{state} + {name}: {actions} [{machine.state}]")
        lines.append("")
    return "\n".join(lines)


def test_every_state_answers_every_event_as_the_golden_file_says() -> None:
    assert matrix() == (GOLDEN / "fsm_matrix.txt").read_text()


@pytest.mark.parametrize("state", STATES)
def test_idle_is_reached_by_stopping_timers_notifying_closing_and_telling_in_that_order(state: str) -> None:
    order = (Send, Close, Down, StateChange)
    for _, event in EVENTS:
        machine = connection(state)
        actions = machine.handle(event, 0.0)
        if machine.state != State.IDLE or state == "IDLE":
            continue
        assert machine.deadline() is None
        end = [action for action in actions if isinstance(action, order)]
        start = max(i for i, action in enumerate(end) if isinstance(action, Close))
        last = end[start - 1] if start and isinstance(end[start - 1], Send) else None
        assert last is None or (isinstance(last, Send) and last.octets[18] == 3)
        kinds = [type(action) for action in end[start:]]
        assert kinds in ([Close, Down, StateChange], [Close, StateChange])


def sent(actions: list[Action]) -> list[tuple[int, int]]:
    return [
        (action.octets[19], action.octets[20])
        for action in actions
        if isinstance(action, Send) and action.octets[18] == 3
    ]


@pytest.mark.parametrize("state", ["OPENCONFIRM", "ESTABLISHED"])
def test_the_hold_timer_ends_a_silent_session_with_4_0(state: str) -> None:
    machine = connection(state)
    assert sent(machine.handle(Tick(), 89.9)) == []
    actions = machine.handle(Tick(), 90.0)
    assert sent(actions) == [(4, 0)]
    assert machine.state == State.IDLE


@pytest.mark.parametrize("message", [KEEPALIVE, UPDATE])
def test_whole_messages_restart_the_hold_timer_and_parts_do_not(message: bytes) -> None:
    machine = connection("ESTABLISHED")
    machine.handle(Received(1, message), 50.0)
    machine.handle(Received(1, message[:10]), 80.0)
    assert sent(machine.handle(Tick(), 139.9)) == []
    assert sent(machine.handle(Tick(), 140.0)) == [(4, 0)]


def test_a_route_refresh_does_not_restart_the_hold_timer() -> None:
    machine = connection("ESTABLISHED")
    machine.handle(Received(1, Refresh(IPV4_UNICAST).message()), 50.0)
    assert sent(machine.handle(Tick(), 90.0)) == [(4, 0)]


@pytest.mark.parametrize(("jitter", "interval"), [(1.0, 30.0), (0.75, 22.5)])
def test_keepalives_go_out_at_a_third_of_the_hold_time_less_jitter(jitter: float, interval: float) -> None:
    machine = Connection(1, SETTINGS, False, 0.0, jitter)
    machine.handle(Connected(1, LOCAL, REMOTE), 0.0)
    machine.handle(Received(1, OPEN + KEEPALIVE), 0.0)
    assert machine.deadline() == interval
    assert machine.handle(Tick(), interval - 0.1) == []
    assert machine.handle(Tick(), interval) == [Send(1, KEEPALIVE)]
    assert machine.deadline() == 2 * interval


def test_hold_time_zero_means_no_timer_once_established() -> None:
    theirs = replace(THEIRS, hold_time=0).open().message()
    machine = connection("OPENCONFIRM", open_octets=theirs)
    assert machine.deadline() == 60.0
    machine.handle(Received(1, KEEPALIVE), 1.0)
    assert machine.state == State.ESTABLISHED
    assert machine.deadline() is None


@pytest.mark.parametrize("state", ["WAITING", "OPENSENT"])
def test_an_open_that_does_not_come_ends_the_wait_with_4_0(state: str) -> None:
    machine = connection(state, replace(SETTINGS, open_wait=5.0))
    assert machine.deadline() == 5.0
    assert sent(machine.handle(Tick(), 5.0)) == [(4, 0)]


def test_a_dial_that_nobody_answers_is_given_up_in_silence() -> None:
    machine = connection("CONNECT")
    assert [show(action) for action in machine.handle(Tick(), 60.0)] == ["close", "-> IDLE"]


def test_the_send_hold_timer_ends_a_session_that_cannot_send() -> None:
    machine = connection("ESTABLISHED", replace(SETTINGS, send_hold_time=20.0))
    machine.handle(SendBlocked(1), 1.0)
    machine.handle(SendBlocked(1), 15.0)
    machine.handle(Received(1, KEEPALIVE), 15.0)
    assert machine.deadline() == 21.0
    machine.handle(SendProgress(1, True), 20.0)
    assert sent(machine.handle(Tick(), 30.0)) == []
    actions = machine.handle(Tick(), 40.0)
    assert sent(actions) == [(8, 0)]
    assert Close(1, abort=True) in actions


def test_progress_that_leaves_nothing_pending_stops_the_send_hold_timer() -> None:
    machine = connection("ESTABLISHED", replace(SETTINGS, send_hold_time=20.0))
    machine.handle(SendBlocked(1), 1.0)
    machine.handle(SendProgress(1, False), 2.0)
    assert machine.deadline() == 30.0


@pytest.mark.parametrize(("hold_time", "expected"), [(90, 480.0), (300, 600.0)])
def test_the_send_hold_time_is_eight_minutes_or_twice_the_hold_time(hold_time: int, expected: float) -> None:
    theirs = replace(THEIRS, hold_time=hold_time).open().message()
    machine = connection("ESTABLISHED", replace(SETTINGS, hold_time=hold_time), theirs)
    machine.handle(SendBlocked(1), 0.0)
    now = 0.0
    while now < expected:
        assert machine.state == State.ESTABLISHED
        machine.handle(Received(1, KEEPALIVE), now)
        machine.handle(Tick(), now)
        now += 30.0
    assert sent(machine.handle(Tick(), now)) == [(8, 0)]


def test_up_carries_what_another_process_needs_to_agree() -> None:
    machine = connection("OPENCONFIRM", replace(SETTINGS, local_as=None))
    up = machine.handle(Received(1, KEEPALIVE), 0.0)[-1]
    assert isinstance(up, Up)
    assert up.negotiated.local_as == up.negotiated.peer_as == 65002
    assert up.negotiated.peer_address == REMOTE
    assert negotiate_messages(up.sent_open, up.received_open, up.facts) == up.negotiated


def test_updates_are_delivered_in_batches_and_in_order_with_what_stands_between() -> None:
    machine = connection("ESTABLISHED")
    first, second = build(2, b"\x00\x00\x00\x00a"), build(2, b"\x00\x00\x00\x00b")
    refresh = Refresh(IPV4_UNICAST)
    actions = machine.handle(Received(1, first + second + refresh.message() + first + bytes(19)), 0.0)
    assert actions[:4] == [
        Deliver(1, [first, second]),
        Heard(1, refresh.message()),
        RefreshReceived(1, refresh),
        Deliver(1, [first]),
    ]
    assert sent(actions) == [(1, 1)]


def test_nothing_after_a_notification_is_delivered() -> None:
    machine = connection("ESTABLISHED")
    actions = machine.handle(Received(1, UPDATE + CEASE + UPDATE), 0.0)
    assert [action for action in actions if isinstance(action, Deliver)] == [Deliver(1, [UPDATE])]
    down = next(action for action in actions if isinstance(action, Down))
    assert down.reason == "notification received (6,4)"
    assert down.received
    assert down.established
    assert down.notification == Notification(6, 4)
    assert sent(actions) == []


REFRESHES = [
    ("query", Refresh(IPV4_UNICAST), True),
    ("begin", Refresh(IPV4_UNICAST, 1), True),
    ("unknown subtype", Refresh(IPV4_UNICAST, 3), False),
    ("family that was not negotiated", Refresh(IPV6_UNICAST), False),
]


@pytest.mark.parametrize(("refresh", "acted"), [row[1:] for row in REFRESHES], ids=[row[0] for row in REFRESHES])
def test_only_what_was_negotiated_is_refreshed(refresh: Refresh, acted: bool) -> None:
    actions = connection("ESTABLISHED").handle(Received(1, refresh.message()), 0.0)
    assert (RefreshReceived(1, refresh) in actions) is acted


@pytest.mark.parametrize("subtype", [0, 1, 2])
def test_a_refresh_without_the_capability_is_ignored(subtype: int) -> None:
    machine = connection("ESTABLISHED", replace(SETTINGS, route_refresh=False))
    message = Refresh(IPV4_UNICAST, subtype).message()
    assert machine.handle(Received(1, message), 0.0) == [Heard(1, message)]


def test_nobody_hears_where_hearing_is_off() -> None:
    machine = Connection(1, replace(SETTINGS, hear=False), False, 0.0)
    actions = machine.handle(Connected(1, LOCAL, REMOTE), 0.0)
    actions += machine.handle(Received(1, OPEN + KEEPALIVE + KEEPALIVE), 0.0)
    assert not any(isinstance(action, Heard) for action in actions)


def test_extended_messages_pass_once_both_announced_them() -> None:
    long = build(2, bytes(5000))
    machine = connection("OPENCONFIRM")
    assert Deliver(1, [long]) in machine.handle(Received(1, KEEPALIVE + long), 0.0)
    machine = connection("ESTABLISHED", replace(SETTINGS, extended_message=False))
    assert sent(machine.handle(Received(1, long), 0.0)) == [(1, 2)]


def test_the_stream_may_come_octet_by_octet() -> None:
    machine = connection("OPENSENT")
    actions: list[Action] = []
    for octet in OPEN + KEEPALIVE + UPDATE:
        actions += machine.handle(Received(1, bytes((octet,))), 0.0)
    assert [show(action) for action in actions] == [
        "heard OPEN",
        "opened",
        "-> OPENCONFIRM",
        "send KEEPALIVE",
        "heard KEEPALIVE",
        "-> ESTABLISHED",
        "up",
        "deliver 1",
    ]


def test_an_automatic_as_of_zero_is_refused_before_our_open() -> None:
    machine = connection("WAITING", replace(SETTINGS, peer_as=None))
    actions = machine.handle(Received(1, Open(0, 90, REMOTE).message()), 0.0)
    assert sent(actions) == [(2, 2)]
    assert len([action for action in actions if isinstance(action, Send)]) == 1

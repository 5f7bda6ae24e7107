"""A neighbor's two connections: dialling, back-off, collisions, teardown; two peers back to back."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from msgspec.structs import replace

from bgp.action import Accept, Close, Deliver, Dial, Down, Send, StateChange, Up
from bgp.capability import GracefulRestart
from bgp.capability.graceful_restart import RESTARTING
from bgp.errors import NotifyError
from bgp.event import (
    Closed,
    Connected,
    ConnectFailed,
    Failed,
    Incoming,
    Received,
    SendBlocked,
    Start,
    Stop,
    Teardown,
    Tick,
)
from bgp.family import IPV4_UNICAST
from bgp.message import KEEPALIVE, build
from bgp.notification import Notification, shutdown_data
from bgp.open import Open
from bgp.peer import GRACEFUL_CLOSE, REPLACED, Peer
from bgp.settings import SessionSettings
from tests.unit.session_net import ADDRESSES, Net

LOW = SessionSettings(bytes((10, 0, 0, 1)), 65001, 65002, hold_time=90, families=(IPV4_UNICAST,))
HIGH = SessionSettings(bytes((10, 0, 0, 2)), 65002, 65001, hold_time=90, families=(IPV4_UNICAST,))
GRACEFUL: dict[str, Any] = {"graceful_restart": 60}
OPEN = HIGH.open().message()
UPDATE = build(2, bytes(4))


def net(low: SessionSettings = LOW, high: SessionSettings = HIGH) -> Net:
    return Net(Peer(low), Peer(high))


def up(low: SessionSettings = LOW, high: SessionSettings = HIGH) -> Net:
    """Bring a session up that the lower side dialled."""
    joined = net(low, replace(high, passive=True))
    joined.start()
    joined.settle()
    assert joined.established() == (True, True)
    return joined


def test_a_passive_and_an_active_side_come_up_and_agree() -> None:
    joined = up()
    one, two = joined.ups(0)[0], joined.ups(1)[0]
    assert one.sent_open == two.received_open
    assert one.negotiated.peer_as == two.negotiated.local_as == 65002
    assert one.negotiated.peer_address == two.negotiated.local_address == ADDRESSES[1]
    assert [joined.notifications(side) for side in (0, 1)] == [[], []]


def test_the_states_of_a_dialled_session_come_in_exabgps_order() -> None:
    joined = up()
    states = [action.state for side, action in joined.log if side == 0 and isinstance(action, StateChange)]
    assert states == ["ACTIVE", "IDLE", "CONNECT", "OPENSENT", "OPENCONFIRM", "ESTABLISHED"]
    states = [action.state for side, action in joined.log if side == 1 and isinstance(action, StateChange)]
    assert states == ["ACTIVE", "IDLE", "CONNECT", "OPENSENT", "OPENCONFIRM", "ESTABLISHED"]


def test_a_peer_that_cannot_be_reached_is_dialled_with_growing_delay() -> None:
    peer = Peer(LOW)
    now = 100.0
    actions = peer.handle(Start(), now)
    waits = []
    for _ in range(14):
        dial = next(action for action in actions if isinstance(action, Dial))
        peer.handle(ConnectFailed(dial.connection, "refused"), now)
        deadline = peer.deadline()
        assert deadline is not None
        waits.append(deadline - now)
        assert peer.handle(Tick(), deadline - 0.01) == [] or deadline == now
        now = deadline
        actions = peer.handle(Tick(), now)
    assert waits == [0, 1, 2, 3, 4, 5, 7, 9, 11, 14, 17, 21, 26, 32]


def test_an_idle_hold_neither_dials_nor_accepts_until_it_is_over() -> None:
    joined = up()
    now = joined.now
    peer = joined.peers[0]
    actions = peer.handle(Failed(1, NotifyError(6, 1, "too many"), 60.0), now)
    sent = next(action for action in actions if isinstance(action, Send))
    assert sent.octets[19:21] == bytes((6, 1))
    assert peer.deadline() == now + 60.0
    refused = peer.handle(Incoming(*ADDRESSES), now + 59.0)
    assert [action.octets[19:21] for action in refused if isinstance(action, Send)] == [bytes((6, 5))]
    assert any(isinstance(action, Dial) for action in peer.handle(Tick(), now + 60.0))


def test_an_idle_hold_holds_for_a_peer_whose_last_octets_ended_the_session_already() -> None:
    joined = up()
    now = joined.now
    peer = joined.peers[0]
    peer.handle(Received(1, Notification(6, 2).message()), now)
    peer.handle(Failed(1, NotifyError(6, 1, "too many"), 60.0), now)
    assert peer.deadline() == now + 60.0
    refused = peer.handle(Incoming(*ADDRESSES), now + 59.0)
    assert [action.octets[19:21] for action in refused if isinstance(action, Send)] == [bytes((6, 5))]


def test_an_idle_hold_is_over_for_who_starts_anew() -> None:
    joined = up()
    peer = joined.peers[0]
    peer.handle(Failed(1, NotifyError(6, 1, "too many"), 60.0), joined.now)
    peer.handle(Stop(), joined.now)
    assert any(isinstance(action, Dial) for action in peer.handle(Start(), joined.now))


def test_the_delay_never_exceeds_a_minute_and_starts_over_after_a_session() -> None:
    joined = net(LOW, replace(HIGH, passive=True))
    joined.reachable = False
    joined.start()
    joined.settle()
    joined.wait(1000.0)
    joined.log.clear()
    joined.wait(600.0)
    assert len([action for _, action in joined.log if isinstance(action, Dial)]) == 10
    joined.reachable = True
    joined.wait(60.0)
    assert joined.established() == (True, True)
    joined.give(1, Teardown(4))
    joined.settle()
    assert joined.established() == (False, False)
    joined.wait(0.0)
    assert joined.established() == (True, True)


def test_a_peer_that_closed_without_a_word_is_dialled_a_second_later() -> None:
    joined = up()
    joined.wait(60.0)
    peer = joined.peers[0]
    established = peer.established
    assert established is not None
    peer.handle(Closed(established.connection), joined.now)
    assert not [action for action in peer.handle(Tick(), joined.now + 0.9) if isinstance(action, Dial)]
    assert [action for action in peer.handle(Tick(), joined.now + 1.0) if isinstance(action, Dial)]


def test_sessions_that_end_at_once_count_as_failed_attempts() -> None:
    joined = net(LOW, replace(HIGH, passive=True))
    joined.start()
    joined.settle()
    ups = []
    for _ in range(4):
        joined.wait(0.0)
        ups.append(joined.established() == (True, True))
        joined.give(1, Teardown(4))
        joined.settle()
    assert ups == [True, True, False, False]  # the first retry is immediate, the second waits


def test_attempts_can_be_limited() -> None:
    joined = net(replace(LOW, attempts=3), HIGH)
    joined.reachable = False
    joined.give(0, Start())
    joined.settle()
    joined.wait(1000.0)
    assert len([action for _, action in joined.log if isinstance(action, Dial)]) == 3
    assert joined.peers[0].deadline() is None


def test_attempts_that_led_to_a_session_count_too() -> None:
    joined = net(replace(LOW, attempts=2), replace(HIGH, passive=True))
    joined.start()
    for count in (1, 2):
        joined.settle()
        joined.wait(60.0)
        assert (joined.established(), joined.peers[0].spent) == ((True, True), False), count
        joined.give(1, Teardown(4))
    joined.settle()
    joined.wait(1000.0)
    assert joined.established() == (False, False)
    assert joined.peers[0].spent


def test_a_peer_whose_attempts_are_used_up_takes_a_connection_and_tries_anew_when_it_is_started_again() -> None:
    peer = Peer(replace(LOW, attempts=1))
    (dial,) = (action for action in peer.handle(Start(), 0.0) if isinstance(action, Dial))
    assert not peer.spent
    peer.handle(ConnectFailed(dial.connection, "refused"), 0.0)
    assert peer.spent
    (taken,) = (action for action in peer.handle(Incoming(*ADDRESSES), 1.0) if isinstance(action, Accept))
    assert not peer.spent
    peer.handle(Closed(taken.connection), 2.0)
    assert peer.spent
    peer.handle(Stop(), 3.0)
    assert not peer.spent
    assert any(isinstance(action, Dial) for action in peer.handle(Start(), 4.0))


def test_a_passive_peer_waits_for_ever() -> None:
    peer = Peer(replace(LOW, passive=True, attempts=1))
    assert peer.handle(Start(), 0.0) == []
    assert peer.deadline() is None
    assert peer.state == "ACTIVE"
    assert not peer.spent


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_connections_the_one_that_the_higher_identifier_dialled_survives(first: int) -> None:
    joined = net()
    joined.start()
    for what in [("dial", first), ("dial", 0)]:
        joined.step(*what)
    joined.settle()
    assert joined.established() == (True, True)
    survivor = joined.peers[1].established
    assert survivor is not None
    assert not survivor.incoming
    assert (6, 7) in joined.notifications(0) + joined.notifications(1)
    assert len(joined.peers[0].connections) == len(joined.peers[1].connections) == 1
    assert (len(joined.ups(0)), len(joined.ups(1))) == (1, 1)


@pytest.mark.parametrize(("higher_as", "incoming"), [(0, False), (1, True)])
def test_equal_identifiers_are_settled_by_the_as_number(higher_as: int, incoming: bool) -> None:
    asns = (65009, 65001) if higher_as == 0 else (65001, 65009)
    one = replace(LOW, local_as=asns[0], peer_as=asns[1])
    two = replace(HIGH, router_id=LOW.router_id, local_as=asns[1], peer_as=asns[0])
    joined = net(one, two)
    joined.start()
    joined.step("dial", 0)
    joined.step("dial", 0)
    joined.settle()
    survivor = joined.peers[0].established
    assert survivor is not None
    assert survivor.incoming is incoming


def test_the_loser_of_a_collision_is_not_confirmed_first() -> None:
    peer = Peer(HIGH)
    peer.handle(Start(), 0.0)
    peer.handle(Connected(1, *ADDRESSES), 0.0)
    peer.handle(Incoming(*ADDRESSES), 0.0)
    theirs = LOW.open().message()
    peer.handle(Received(1, theirs), 0.0)
    actions = peer.handle(Received(2, theirs + KEEPALIVE), 0.0)
    sent = [action for action in actions if isinstance(action, Send)]
    assert sent == [Send(2, Notification(6, 7).message())]
    assert Close(2) in actions
    assert [one.connection for one in peer.connections] == [1]


def test_an_established_session_refuses_another_connection_with_6_7() -> None:
    joined = up()
    answer = joined.peers[0].handle(Incoming(*ADDRESSES), 1.0)
    handle = answer[0].connection
    assert answer == [Accept(handle), Send(handle, Notification(6, 7).message()), Close(handle)]
    assert joined.established() == (True, True)


def test_graceful_restart_lets_a_new_connection_replace_the_session() -> None:
    joined = up(replace(LOW, **GRACEFUL), replace(HIGH, **GRACEFUL))
    old = joined.peers[0].established
    assert old is not None
    answer = joined.peers[0].handle(Incoming(*ADDRESSES), 1.0)
    assert isinstance(answer[0], Accept)
    down = next(action for action in answer if isinstance(action, Down))
    assert (down.connection, down.reason, down.established) == (old.connection, REPLACED, True)
    assert not [action for action in answer if isinstance(action, Send) and action.octets[18] == 3]
    handle = answer[0].connection
    again = joined.peers[0].handle(Received(handle, OPEN + KEEPALIVE), 1.0)
    assert any(isinstance(action, Up) for action in again)


def test_a_second_incoming_connection_is_refused_while_the_first_is_opening() -> None:
    peer = Peer(replace(LOW, passive=True))
    peer.handle(Start(), 0.0)
    peer.handle(Incoming(*ADDRESSES), 0.0)
    assert Send(2, Notification(6, 7).message()) in peer.handle(Incoming(*ADDRESSES), 0.0)


def test_a_peer_that_does_not_run_rejects_connections_with_6_5() -> None:
    assert Send(1, Notification(6, 5).message()) in Peer(LOW).handle(Incoming(*ADDRESSES), 0.0)


def test_a_session_that_comes_up_ends_the_dial_that_is_under_way() -> None:
    peer = Peer(LOW)
    peer.handle(Start(), 0.0)
    peer.handle(Incoming(*ADDRESSES), 0.0)
    actions = peer.handle(Received(2, OPEN + KEEPALIVE), 0.0)
    assert Close(1) in actions
    assert [one.connection for one in peer.connections] == [2]
    assert peer.handle(Connected(1, *ADDRESSES), 0.0) == []


def test_teardown_sends_its_cease_and_the_session_returns() -> None:
    joined = up()
    joined.give(0, Teardown(4))
    joined.settle()
    assert joined.downs(0) == ["notification sent (6,4)"]
    assert joined.downs(1) == ["notification received (6,4)"]
    message = next(action.octets for _, action in joined.log if isinstance(action, Send) and action.octets[18] == 3)
    assert message[21:] == shutdown_data("Administrative Reset")
    joined.wait(1.0)
    assert joined.established() == (True, True)


def test_only_the_first_session_says_that_we_have_restarted() -> None:
    joined = up(replace(LOW, **GRACEFUL), replace(HIGH, **GRACEFUL))
    joined.give(1, Teardown(4))
    joined.settle()
    joined.wait(5.0)
    assert joined.established() == (True, True)
    sent = [Open.from_message(each.sent_open).last(GracefulRestart) for each in joined.ups(0)]
    assert [capability is not None and capability.flags for capability in sent] == [RESTARTING, 0]


def test_teardown_is_silent_where_graceful_restart_was_agreed() -> None:
    joined = up(replace(LOW, **GRACEFUL), replace(HIGH, **GRACEFUL))
    joined.give(0, Teardown(4))
    joined.settle()
    assert joined.notifications(0) == []
    assert joined.downs(0) == [GRACEFUL_CLOSE]
    assert joined.downs(1) == ["closing connection"]


def test_a_stop_that_another_session_follows_is_silent_where_graceful_restart_was_agreed() -> None:
    joined = up(replace(LOW, **GRACEFUL), replace(HIGH, **GRACEFUL))
    joined.give(0, Stop("configuration changed", subcode=3, returns=True))
    joined.settle()
    assert joined.notifications(0) == []
    assert joined.downs(0) == [GRACEFUL_CLOSE]
    joined.wait(1000.0)
    assert joined.established() == (False, False)


def test_a_stop_that_another_session_follows_is_said_to_other_peers() -> None:
    joined = up()
    joined.give(0, Stop("configuration changed", subcode=3, returns=True))
    joined.settle()
    assert joined.notifications(0) == [(6, 3)]


def test_a_hard_reset_is_said_whatever_was_agreed() -> None:
    joined = up(replace(LOW, **GRACEFUL), replace(HIGH, **GRACEFUL))
    joined.give(0, Teardown(9))
    joined.settle()
    assert joined.notifications(0) == [(6, 9)]


@pytest.mark.parametrize("changes", [{}, GRACEFUL])
def test_stop_tells_every_peer_and_does_not_dial_again(changes: dict[str, Any]) -> None:
    joined = up(replace(LOW, **changes), replace(HIGH, **changes))
    joined.give(0, Stop(text="maintenance"))
    joined.settle()
    joined.wait(1000.0)
    assert joined.notifications(0) == [(6, 2)]
    assert joined.downs(0) == ["stop, message [shutting down]"]
    down = next(action for side, action in joined.log if side == 1 and isinstance(action, Down))
    assert down.notification is not None
    assert down.notification.communication == "maintenance"
    assert joined.peers[0].deadline() is None
    assert joined.peers[0].state == "IDLE"
    assert joined.peers[0].connections == ()


def test_a_stopped_peer_may_start_again() -> None:
    joined = up()
    joined.give(0, Stop())
    joined.settle()
    joined.give(0, Start())
    joined.settle()
    assert joined.established() == (True, True)


def test_start_twice_is_start_once() -> None:
    peer = Peer(LOW)
    assert any(isinstance(action, Dial) for action in peer.handle(Start(), 0.0))
    assert peer.handle(Start(), 0.0) == []


def test_a_peer_gone_silent_is_dropped_after_the_hold_time_and_dialled_again() -> None:
    joined = up()
    lone = joined.peers[0]
    for now in (30.0, 60.0):
        assert lone.handle(Tick(), now) == [Send(1, KEEPALIVE)]
    actions = lone.handle(Tick(), 90.0)
    assert Send(1, Notification(4, 0).message()) in actions
    assert any(isinstance(action, Down) and action.established for action in actions)
    assert lone.deadline() == 90.0
    assert any(isinstance(action, Dial) for action in lone.handle(Tick(), 90.0))


def test_a_session_with_keepalives_lasts() -> None:
    joined = up()
    joined.wait(3600.0)
    assert joined.established() == (True, True)
    assert len(joined.ups(0)) == 1


def test_a_decoder_s_error_becomes_the_notification() -> None:
    joined = up()
    joined.give(0, Failed(1, NotifyError(3, 9, "bad attribute", b"\x80\x0f\x00")))
    assert joined.downs(0) == ["notification sent (3,9)"]
    down = next(action for _, action in joined.log if isinstance(action, Down))
    assert down.detail == "3/9: bad attribute"
    assert down.notification == Notification(3, 9, b"\x80\x0f\x00")


def test_events_of_connections_that_are_gone_do_nothing() -> None:
    peer = Peer(LOW)
    peer.handle(Start(), 0.0)
    peer.handle(ConnectFailed(1), 0.0)
    for event in (Connected(1, *ADDRESSES), Received(1, OPEN), Closed(1), SendBlocked(1), ConnectFailed(99)):
        assert peer.handle(event, 0.0) == []


def test_an_automatic_side_learns_its_as_from_one_that_speaks_first() -> None:
    joined = up(replace(LOW, peer_as=65001), replace(HIGH, local_as=None, peer_as=None))
    assert joined.ups(1)[0].negotiated.local_as == 65001


def test_a_peer_can_be_saved_between_events_even_within_a_message() -> None:
    joined = up()
    peer = joined.peers[0]
    assert peer.handle(Received(1, UPDATE + UPDATE[:10]), 5.0) == [Deliver(1, [UPDATE])]
    again = pickle.loads(pickle.dumps(peer))
    assert again.deadline() == peer.deadline()
    assert again.handle(Received(1, UPDATE[10:]), 6.0) == [Deliver(1, [UPDATE])]
    assert again.handle(Tick(), 30.0) == [Send(1, KEEPALIVE)]

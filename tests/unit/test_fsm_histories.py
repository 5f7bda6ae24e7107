"""Random histories: whatever happens, and in whatever order, what must hold holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bgp.action import Accept, Action, Close, Deliver, Dial, Down, Opened, Send, Up
from bgp.errors import NotifyError
from bgp.event import (
    Closed,
    Connected,
    ConnectFailed,
    Failed,
    Incoming,
    PeerEvent,
    Received,
    SendBlocked,
    SendProgress,
    Start,
    Stop,
    Teardown,
    Tick,
)
from bgp.family import IPV4_UNICAST
from bgp.fsm import State
from bgp.message import KEEPALIVE, build
from bgp.notification import Notification
from bgp.peer import Peer
from bgp.refresh import Refresh
from bgp.settings import SessionSettings
from tests.unit.session_net import ADDRESSES, Net

LOW = SessionSettings(bytes((10, 0, 0, 1)), 65001, 65002, hold_time=9, families=(IPV4_UNICAST,))
HIGH = SessionSettings(bytes((10, 0, 0, 2)), 65002, 65001, hold_time=9, families=(IPV4_UNICAST,))
OPEN = HIGH.open().message()
GRACEFUL_OPEN = replace(HIGH, graceful_restart=60).open().message()

OCTETS = st.one_of(
    st.sampled_from(
        [
            OPEN,
            GRACEFUL_OPEN,
            OPEN + KEEPALIVE,
            GRACEFUL_OPEN + KEEPALIVE + build(2, bytes(4)),
            OPEN[:20],
            KEEPALIVE,
            build(2, bytes(4)),
            build(5, bytes(3)),
            Refresh(IPV4_UNICAST).message(),
            Notification(6, 2).message(),
            bytes(19),
        ]
    ),
    st.binary(max_size=60),
)
HANDLES = st.integers(1, 6)
EVENTS: st.SearchStrategy[PeerEvent] = st.one_of(
    st.just(Start()),
    st.just(Stop()),
    st.builds(Teardown, st.integers(1, 10), st.text(max_size=5)),
    st.just(Incoming(*ADDRESSES)),
    st.builds(Connected, HANDLES, st.just(ADDRESSES[0]), st.just(ADDRESSES[1])),
    st.builds(ConnectFailed, HANDLES),
    st.builds(Received, HANDLES, OCTETS),
    st.builds(Received, HANDLES, OCTETS),
    st.builds(Closed, HANDLES),
    st.builds(Failed, HANDLES, st.just(NotifyError(3, 1, "decoder")), st.sampled_from([0.0, 30.0])),
    st.builds(SendBlocked, HANDLES),
    st.builds(SendProgress, HANDLES, st.booleans()),
    st.just(Tick()),
)
SETTINGS = st.builds(
    replace,
    st.just(LOW),
    local_as=st.sampled_from([65001, None]),
    passive=st.booleans(),
    graceful_restart=st.sampled_from([None, 60]),
    send_hold_time=st.sampled_from([None, 5.0]),
)


class Watch:
    """Follow the actions of one peer and check each against what came before."""

    def __init__(self) -> None:
        self.live: set[int] = set()
        self.notified: set[int] = set()
        self.up: set[int] = set()
        self.down: set[int] = set()

    def see(self, action: Action) -> None:
        match action:
            case Dial(connection=handle) | Accept(connection=handle):
                assert handle not in self.live | self.down, "a handle is used once"
                self.live.add(handle)
            case Send(connection=handle, octets=octets):
                assert handle in self.live, "nothing is sent after the end"
                assert handle not in self.notified, "nothing follows a NOTIFICATION"
                if octets[18] == 3:
                    self.notified.add(handle)
            case Close(connection=handle):
                assert handle in self.live, "a connection is closed once"
                self.live.remove(handle)
                self.notified.discard(handle)
                self.down.add(handle)
            case Down(connection=handle, reason=reason, established=established):
                assert reason
                assert established is (handle in self.up)
                self.up.discard(handle)
            case Up(connection=handle):
                assert not self.up, "one session at a time"
                self.up.add(handle)
            case Deliver(connection=handle, messages=messages):
                assert messages
                assert handle in self.up, "UPDATEs come from a session that is up"
            case Opened(connection=handle):
                assert handle in self.live


@settings(max_examples=300, deadline=None)
@given(SETTINGS, st.lists(st.tuples(EVENTS, st.sampled_from([0.0, 0.1, 1.0, 3.0, 20.0])), max_size=40))
def test_any_history_keeps_the_rules(chosen: SessionSettings, history: list[tuple[PeerEvent, float]]) -> None:
    peer = Peer(chosen)
    watch = Watch()
    now = 0.0
    for event, wait in history:
        now += wait
        for action in peer.handle(event, now):
            watch.see(action)
        assert not watch.notified, "a NOTIFICATION is followed by its Close in the same answer"
        established = [one for one in peer.connections if one.state == State.ESTABLISHED]
        assert {one.connection for one in established} == watch.up
        assert {one.connection for one in peer.connections} == watch.live
        assert len(watch.live) <= 2
        if not peer.running:
            assert not watch.live
            assert peer.deadline() is None


@settings(max_examples=200, deadline=None)
@given(SETTINGS, st.lists(EVENTS, max_size=30))
def test_ticks_at_the_deadlines_always_move_them_on(chosen: SessionSettings, history: list[PeerEvent]) -> None:
    peer = Peer(chosen)
    now = 0.0
    for event in history:
        peer.handle(event, now)
        for _ in range(10):
            deadline = peer.deadline()
            if deadline is None or deadline > now:
                break
            peer.handle(Tick(), now)
        else:
            raise AssertionError("a deadline that has passed stays for ever")
        now = deadline if deadline is not None else now + 1.0


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans())
def test_two_peers_in_any_order_of_events_end_with_one_session(data: st.DataObject, passive: bool) -> None:
    joined = Net(Peer(replace(LOW, hold_time=90)), Peer(replace(HIGH, hold_time=90, passive=passive)))
    joined.start()
    for _ in range(40):
        pending = joined.pending()
        if not pending:
            break
        joined.step(*data.draw(st.sampled_from(pending)))
        assert sum(one.state == State.ESTABLISHED for one in joined.peers[0].connections) <= 1
        assert sum(one.state == State.ESTABLISHED for one in joined.peers[1].connections) <= 1
    joined.settle()
    joined.wait(30.0)
    assert joined.established() == (True, True)
    assert len(joined.peers[0].connections) == len(joined.peers[1].connections) == 1

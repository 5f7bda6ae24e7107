"""Forgetful neighbors (`adj-rib-out false`): what was sent is forgotten, what was not is never lost, whoever dies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec.structs import replace

import ribd.group
from bgp.family import Family
from bgp.nlri import route_key
from bgp.shape import Shape
from bus.schema import WITHDRAW_ANNOUNCED, CountRoutes, Enrol, Forget, Pull, RouteCounts, pack
from ribd.state import Restorer
from tests.unit.rib_bench import FAMILIES, LABELLED, UNICAST, Daemon, SimulatedPeer, labelled, unicast


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a", "b"], forgetful=["a"])
    yield daemon
    daemon.close()


def announce(daemon: Daemon, *numbers: int, names: tuple[str, ...] = ("a",), which: int = 1) -> None:
    daemon.apply(names, 1, UNICAST, which, [unicast(number) for number in numbers])


def held(daemon: Daemon, name: str = "a") -> int:
    (answer,) = daemon.say(b"asker", CountRoutes(1, [name]))
    assert isinstance(answer, RouteCounts)
    return answer.counts[0]


def numbers(peer: SimulatedPeer) -> list[int]:
    return sorted(int.from_bytes(item[6:], "big") for _, item in peer.table.values())


def new_session(daemon: Daemon, number: int = 2) -> SimulatedPeer:
    peer = SimulatedPeer("a", number)
    peer.drain(daemon)
    assert peer.ends == list(FAMILIES)
    return peer


def test_what_was_sent_is_forgotten_and_a_new_session_is_sent_the_markers_only(daemon: Daemon) -> None:
    announce(daemon, 1, 2, names=("a", "b"))
    assert numbers(new_session(daemon, 1)) == [1, 2]
    assert (held(daemon, "a"), held(daemon, "b")) == (0, 2)
    assert new_session(daemon, 2).announced == 0


def test_a_repetition_is_sent_again_even_where_the_session_has_not_confirmed_the_first_time_yet(daemon: Daemon) -> None:
    peer = new_session(daemon)
    for count in (1, 2):
        announce(daemon, 1)
        peer.drain(daemon)
        assert peer.announced == count
    announce(daemon, 1)
    assert peer.pull(daemon)
    announce(daemon, 1)  # it was sent, but its Pull has not come
    peer.drain(daemon)
    assert peer.announced == 4


def test_what_is_repeated_before_it_was_sent_is_sent_once_in_its_last_form(daemon: Daemon) -> None:
    announce(daemon, 1, 2)
    announce(daemon, 1)
    announce(daemon, 2, which=7)
    peer = new_session(daemon)
    assert peer.announced == 2
    assert peer.table[UNICAST, unicast(2)] == (7, unicast(2))


@pytest.mark.parametrize("form", [0, WITHDRAW_ANNOUNCED])
def test_a_withdrawal_is_sent_though_nothing_is_known_of_the_route(daemon: Daemon, form: int) -> None:
    announce(daemon, 1)
    peer = new_session(daemon)
    for count in (1, 2):
        daemon.apply(["a", "b"], form, UNICAST, 0, [unicast(1)])
        peer.drain(daemon)
        assert (peer.withdrawn, peer.table) == (count, {})
    assert new_session(daemon, 3).withdrawn == 0


@pytest.mark.parametrize("dies", [False, True])
def test_what_was_not_sent_is_there_for_the_next_session(daemon: Daemon, dies: bool) -> None:
    announce(daemon, 1)
    peer = new_session(daemon)
    announce(daemon, 2, 3)
    if dies:
        daemon.start()
    assert held(daemon) == 2
    assert numbers(new_session(daemon, 3)) == [2, 3]
    assert numbers(peer) == [1]


def test_what_was_sent_does_not_come_back_with_ribd_and_its_versions_go_on(daemon: Daemon) -> None:
    announce(daemon, 1, 2)
    peer = new_session(daemon)
    announce(daemon, 1)
    peer.drain(daemon)
    for compacted in (False, True):
        versions = daemon.versions()
        if compacted:
            daemon.rib._journal.start_over(daemon.state.snapshot())  # type: ignore[union-attr]
        daemon.start()
        assert daemon.versions() == versions
        assert held(daemon) == 0
        peer.drain(daemon)
        announce(daemon, 1)
        peer.drain(daemon)
    assert (peer.announced, peer.resyncs) == (5, 0)
    assert new_session(daemon, 3).announced == 0


def test_what_tcp_has_not_taken_yet_is_not_forgotten(daemon: Daemon) -> None:
    peer = new_session(daemon)
    before = [cursor.position for cursor in peer.outbound.cursors.values()]
    announce(daemon, 1)
    assert peer.pull(daemon)
    outbound = peer.outbound
    pull = Pull("a", 99, outbound.lineage, peer.shape.to_wire(), outbound.to_wire(), 1, before)
    daemon.say(peer.identity, pull)
    assert held(daemon) == 1
    daemon.say(peer.identity, replace(pull, written=[]))  # the same Pull, to say what was written meanwhile
    assert held(daemon) == 0


def test_cursors_of_another_table_have_nothing_forgotten(daemon: Daemon) -> None:
    announce(daemon, 1)
    shape, cursors = Shape(families=FAMILIES).to_wire(), [[*family, 9, 9] for family in FAMILIES]
    for lineage in ("", "another"):
        daemon.say(b"peerd", Pull("a", 1, lineage, shape, cursors, 1))
    assert held(daemon) == 1


def test_a_family_that_was_not_negotiated_waits_for_a_session_that_carries_it(daemon: Daemon) -> None:
    announce(daemon, 1)
    daemon.apply(["a"], 1, LABELLED, 1, [labelled(1, 16)])
    peer = SimulatedPeer("a", 1, Shape(families=(UNICAST,)))
    peer.drain(daemon)
    assert held(daemon) == 1
    assert list(new_session(daemon).table) == [(LABELLED, route_key(LABELLED, labelled(1, 16)))]


def test_a_session_of_another_shape_is_not_sent_octets_from_before(daemon: Daemon) -> None:
    announce(daemon, *range(1000))
    before = SimulatedPeer("a", 1, Shape(families=FAMILIES, group_updates=False))
    assert before.pull(daemon)
    new_session(daemon, 2)
    after = SimulatedPeer("a", 3, before.shape)
    after.drain(daemon)
    assert (before.announced, after.announced) == (1000, 0)


def test_a_route_with_a_lease_is_kept_until_it_has_been_withdrawn(daemon: Daemon) -> None:
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(1)], 30)
    peer = new_session(daemon)
    assert held(daemon) == 1
    daemon.loop.pass_time(30.0)
    peer.drain(daemon)
    assert (peer.withdrawn, held(daemon)) == (1, 0)
    assert daemon.state.rib.of["a"].family(UNICAST).entries == {}


def test_a_neighbor_that_is_forgetful_from_now_on_leaves_the_table_that_it_shares(daemon: Daemon) -> None:
    daemon.enrol(["a", "b"])
    announce(daemon, 1, names=("a", "b"))
    daemon.enrol(["a", "b"], forgetful=["a"])
    new_session(daemon)
    assert (held(daemon, "a"), held(daemon, "b")) == (0, 1)


def test_a_neighbor_that_is_forgetful_no_longer_keeps_what_it_is_announced(daemon: Daemon) -> None:
    announce(daemon, 1)
    new_session(daemon)
    daemon.enrol(["a", "b"])
    announce(daemon, 2)
    peer = new_session(daemon, 3)
    announce(daemon, 2)
    peer.drain(daemon)
    assert (numbers(peer), peer.announced, held(daemon)) == ([2], 1, 1)


def test_what_arrives_in_one_turn_is_taken_in_its_order(daemon: Daemon) -> None:
    """A session confirms, ends and begins anew; the neighbor is to be kept as a session confirms."""
    arrive = daemon.server.on_message

    def confirmation(peer: SimulatedPeer) -> tuple[bytes, Pull]:
        outbound = peer.outbound
        return peer.identity, Pull("a", 99, outbound.lineage, peer.shape.to_wire(), outbound.to_wire(), 1)

    announce(daemon, 1)
    peer, other = SimulatedPeer("a", 1), SimulatedPeer("a", 2)
    assert peer.pull(daemon)
    arrive(*confirmation(peer), b"")
    assert other.pull(daemon)
    assert (peer.announced, other.announced) == (1, 0)
    announce(daemon, 2)
    assert other.pull(daemon)
    enrol = Enrol("client", "epoch", daemon.sequence + 1, ["a", "b"])
    arrive(b"client", enrol, pack(enrol))
    arrive(*confirmation(other), b"")
    daemon.loop.turn()
    assert (other.announced, held(daemon)) == (1, 1)


def test_a_journal_that_cannot_be_written_has_it_forgotten_later(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(daemon, 1)

    def full(_payloads: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(daemon.rib._journal, "append", full)  # type: ignore[union-attr]
        peer = new_session(daemon)
        assert held(daemon) == 1
    peer.pull(daemon)
    assert held(daemon) == 0


def test_nobody_can_have_anything_forgotten_over_the_bus(daemon: Daemon) -> None:
    announce(daemon, 1)
    assert daemon.say(b"client", Forget("client", "epoch", 99, "a", [[*UNICAST, 99]])) == []
    assert (daemon.server.bad, held(daemon)) == (1, 1)


def test_a_snapshot_of_an_earlier_release_has_no_forgetful_neighbors(daemon: Daemon) -> None:
    head, *_ = daemon.state.snapshot()
    restorer = Restorer("lineage", 0.0)
    restorer.snapshot(msgpack.packb(msgpack.unpackb(head)[:-2]))
    assert (restorer.state.rib.enrolled, restorer.state.rib.forgetful) == ({"a", "b"}, set())


def test_a_snapshot_holds_which_neighbors_have_just_been_removed(daemon: Daemon) -> None:
    daemon.enrol("a")
    head, *_ = daemon.state.snapshot()
    restorer = Restorer("lineage", 0.0)
    restorer.snapshot(head)
    assert restorer.state.rib.gone == {"b"}


Key = tuple[Family, bytes]
NUMBERS = st.lists(st.integers(0, 7), min_size=1, max_size=5)


class Histories(RuleBasedStateMachine):
    """Whatever happens: each last word about a route reaches a session, and no session hears of it after that."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(ribd.group, "SEGMENT_ENTRIES", 3)
        self.patch.setattr(ribd.group, "SEGMENT_SETS", 2)
        self.daemon = Daemon(Path(self.directory.name), self.patch)
        self.daemon.enrol(["a", "b"], forgetful=["a"])
        self.said: dict[Key, tuple[int, bytes] | None] = {}  # last words that no session has been seen to have
        self.peer: SimulatedPeer | None = None
        self.sessions = 0

    def apply(self, announce: int, family: Family, which: int, numbers: list[int], both: bool) -> None:
        items = [unicast(number) if family == UNICAST else labelled(number, 16) for number in numbers]
        self.daemon.apply(["a", "b"] if both else ["a"], announce, family, which, items)
        for item in items:
            self.said[family, route_key(family, item)] = (which, item) if announce else None

    @rule(family=st.sampled_from(FAMILIES), which=st.integers(1, 3), numbers=NUMBERS, both=st.booleans())
    def announce(self, family: Family, which: int, numbers: list[int], both: bool) -> None:
        self.apply(1, family, which, numbers, both)

    @rule(family=st.sampled_from(FAMILIES), numbers=NUMBERS, both=st.booleans())
    def withdraw(self, family: Family, numbers: list[int], both: bool) -> None:
        self.apply(0, family, 0, numbers, both)

    @rule()
    def another_session_begins(self) -> None:
        self.sessions += 1
        self.peer = SimulatedPeer("a", self.sessions, may_resync=False)

    @rule(credit=st.sampled_from((1, 60, 1 << 20)))
    def session_pulls(self, credit: int) -> None:
        if self.peer is not None:
            self.peer.pull(self.daemon, credit)
            table = self.peer.table
            self.said = {key: value for key, value in self.said.items() if value is None or table.get(key) != value}

    @rule()
    def daemon_is_killed_and_comes_back(self) -> None:
        versions = self.daemon.versions()
        self.daemon.start()
        assert self.daemon.versions() == versions

    @rule()
    def journal_is_compacted(self) -> None:
        self.daemon.rib._journal.start_over(self.daemon.state.snapshot())

    @rule()
    def time_passes(self) -> None:
        self.daemon.loop.pass_time(100.0)

    @rule()
    def session_reads_to_the_end(self) -> None:
        if self.peer is None:
            return
        self.peer.drain(self.daemon)
        for key, value in self.said.items():
            assert self.peer.table.get(key) == value
        self.said = {}
        assert held(self.daemon) == 0
        self.another_session_begins()
        self.peer.drain(self.daemon)
        assert (self.peer.announced, self.peer.withdrawn) == (0, 0)

    def teardown(self) -> None:
        try:
            if hasattr(self, "daemon"):
                self.another_session_begins()
                self.session_reads_to_the_end()
        finally:
            self.patch.undo()
            if hasattr(self, "daemon"):
                self.daemon.close()
            self.directory.cleanup()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

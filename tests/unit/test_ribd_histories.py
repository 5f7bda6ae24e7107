"""Random histories of ribd against a naive model: whatever happens, peers end with exactly what was announced.

The daemon under test is the real one with its journal on disk; only its sockets are replaced. It is killed and
started again in the middle, its snapshot is written, its tombstones are dropped, its sessions come, go and ask again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import ribd.group
import ribd.table
from bgp.family import Family
from bgp.nlri import route_key
from bgp.shape import Shape
from bus.schema import Pull
from tests.unit.rib_bench import FAMILIES, LABELLED, UNICAST, UNSENDABLE, Daemon, SimulatedPeer, labelled, unicast

NEIGHBORS = ("a", "b", "c")
SUBSETS = st.just(NEIGHBORS) | st.lists(st.sampled_from(NEIGHBORS), min_size=1, max_size=3, unique=True).map(tuple)
NUMBERS = st.lists(st.integers(0, 7), min_size=1, max_size=5)
SETS = st.sampled_from((1, 2, 3, UNSENDABLE))

Key = tuple[Family, bytes]


def items_of(family: Family, numbers: list[int], label: int) -> list[bytes]:
    """Return items; those with labels are the same routes whatever the label."""
    return [unicast(number) if family == UNICAST else labelled(number, label) for number in numbers]


class Histories(RuleBasedStateMachine):
    """Commands, sessions and deaths in any order."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(ribd.table, "PURGE_AT", 1)
        self.patch.setattr(ribd.group, "SEGMENT_ENTRIES", 3)
        self.patch.setattr(ribd.group, "SEGMENT_SETS", 2)
        self.patch.setattr(ribd.group, "BACKLOGS", 2)
        self.daemon = Daemon(Path(self.directory.name), self.patch)
        self.model: dict[str, dict[Key, tuple[int, bytes]]] = {name: {} for name in NEIGHBORS}
        self.enrolled: set[str] = set(NEIGHBORS)
        self.daemon.enrol(NEIGHBORS)
        self.peers: dict[str, SimulatedPeer] = {}
        self.sessions = 0

    @rule(names=SUBSETS, family=st.sampled_from(FAMILIES), which=SETS, numbers=NUMBERS, label=st.integers(16, 18))
    def announce(self, names: tuple[str, ...], family: Family, which: int, numbers: list[int], label: int) -> None:
        items = items_of(family, numbers, label)
        self.daemon.apply(names, 1, family, which, items)
        for name in names:
            routes = self.model.setdefault(name, {})
            for item in items:
                routes[family, route_key(family, item)] = (which, item)

    @rule(names=SUBSETS, family=st.sampled_from(FAMILIES), numbers=NUMBERS)
    def withdraw(self, names: tuple[str, ...], family: Family, numbers: list[int]) -> None:
        items = items_of(family, numbers, 16)
        self.daemon.apply(names, 0, family, 0, items)
        for name in names:
            for item in items:
                self.model.setdefault(name, {}).pop((family, route_key(family, item)), None)

    @rule(names=SUBSETS)
    def clear(self, names: tuple[str, ...]) -> None:
        self.daemon.clear(names)
        for name in names:
            self.model[name] = {}

    @rule(names=SUBSETS)
    def enrol(self, names: tuple[str, ...]) -> None:
        self.daemon.enrol(names)
        self.enrolled = set(names)
        self.model = {name: self.model.get(name, {}) for name in names}
        for name in [name for name in self.peers if name not in self.enrolled]:
            del self.peers[name]  # control has its peerd end the session

    @rule(name=st.sampled_from(NEIGHBORS))
    def session_comes_up(self, name: str) -> None:
        if name in self.enrolled:
            self.sessions += 1
            self.peers[name] = SimulatedPeer(name, self.sessions, may_resync=False)

    @rule(name=st.sampled_from(NEIGHBORS), times=st.integers(1, 3), credit=st.sampled_from((1, 60, 1 << 20)))
    def session_pulls(self, name: str, times: int, credit: int) -> None:
        if (peer := self.peers.get(name)) is not None:
            for _ in range(times):
                peer.pull(self.daemon, credit)

    @rule(name=st.sampled_from(NEIGHBORS), again=st.booleans())
    def session_reads_to_the_end(self, name: str, again: bool) -> None:
        if (peer := self.peers.get(name)) is not None:
            peer.drain(self.daemon)
            if again:
                for family in FAMILIES:
                    peer.outbound.refresh(family)

    @rule(name=st.sampled_from(NEIGHBORS), family=st.sampled_from(FAMILIES))
    def peer_asks_again(self, name: str, family: Family) -> None:
        if (peer := self.peers.get(name)) is not None:
            peer.outbound.refresh(family)

    @rule()
    def daemon_is_killed_and_comes_back(self) -> None:
        versions, lineage = self.daemon.versions(), self.daemon.state.lineage
        self.daemon.start()
        assert self.daemon.versions() == versions
        assert self.daemon.state.lineage == lineage

    @rule()
    def journal_is_compacted(self) -> None:
        self.daemon.rib._journal.start_over(self.daemon.state.snapshot())

    @rule()
    def time_passes(self) -> None:
        for peer in self.peers.values():
            peer.pull(self.daemon, credit=1)  # long before that, a session has asked a daemon that came back
        self.daemon.loop.pass_time(100.0)

    @precondition(lambda self: self.peers)
    @rule()
    def everything_is_sent_and_said_again(self) -> None:
        self.check_convergence()
        counts = [(peer.announced, peer.withdrawn) for peer in self.peers.values()]
        for name in sorted(self.model):
            for (family, _), (which, item) in sorted(self.model[name].items()):
                self.daemon.apply([name], 1, family, which, [item])
        for peer in self.peers.values():
            peer.drain(self.daemon)
        assert counts == [(peer.announced, peer.withdrawn) for peer in self.peers.values()]

    def check_convergence(self) -> None:
        """Let every session read to the end and compare it with the model."""
        for name, peer in self.peers.items():
            peer.drain(self.daemon)
            expected = {key: value for key, value in self.model[name].items() if value[0] != UNSENDABLE}
            assert peer.table == expected, name
            assert peer.ends == list(FAMILIES)

    @invariant()
    def versions_ascend_in_every_table(self) -> None:
        if not hasattr(self, "daemon"):
            return
        for table in self.daemon.state.rib.tables():
            for routes in table.families.values():
                versions = [entry[0] for entry in routes.entries.values()]
                assert versions == sorted(set(versions))
                assert all(version <= routes.version for version in versions)

    def teardown(self) -> None:
        try:
            if hasattr(self, "daemon"):
                self.check_convergence()
        finally:
            self.patch.undo()
            if hasattr(self, "daemon"):
                self.daemon.close()
            self.directory.cleanup()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_new_session_is_sent_every_route_once_and_no_withdrawal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(20_000)])
    daemon.apply(["a"], 1, LABELLED, 1, [labelled(number, 16) for number in range(100)])
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(number) for number in range(0, 20_000, 2)])
    daemon.apply(["a"], 1, UNICAST, 2, [unicast(number) for number in range(0, 20_000, 4)])
    for number in range(3):
        peer = SimulatedPeer("a", number)
        peer.drain(daemon, credit=1000)
        assert (peer.announced, peer.withdrawn) == (15_100, 0)
        assert peer.ends == list(FAMILIES)


def test_a_table_that_fits_one_answer_is_sent_at_once_however_many_withdrawals_lie_between_its_routes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    for first in range(0, 20_000, 100):
        daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(first, first + 100)])
        if first >= 5000:
            daemon.apply(["a"], 0, UNICAST, 0, [unicast(number) for number in range(first - 5000, first - 4900)])
    peer = SimulatedPeer("a", 1)
    assert peer.pull(daemon)
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(number) for number in range(15_000, 16_000)])
    assert (peer.announced, peer.withdrawn) == (5000, 0)
    peer.drain(daemon)
    assert (peer.announced, peer.withdrawn) == (5000, 1000)


def test_a_session_that_comes_after_a_withdrawal_is_not_sent_what_an_earlier_one_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a", "b"])
    daemon.apply(["a", "b"], 1, UNICAST, 1, [unicast(number) for number in range(5)])
    first = SimulatedPeer("a", 1)
    first.drain(daemon)
    daemon.apply(["a", "b"], 0, UNICAST, 0, [unicast(2)])
    second = SimulatedPeer("b", 1)
    second.drain(daemon)
    first.drain(daemon)
    assert len(second.table) == 4
    assert second.table == first.table
    assert second.withdrawn == 0


def test_a_refresh_after_a_withdrawal_does_not_bring_the_route_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(5)])
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(2)])
    peer.drain(daemon)
    peer.outbound.refresh(UNICAST)
    peer.drain(daemon)
    assert len(peer.table) == 4
    assert peer.announced == 9


def test_equal_sessions_are_packed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    names = [f"n{number}" for number in range(50)]
    daemon.enrol(names)
    daemon.apply(names, 1, UNICAST, 1, [unicast(number) for number in range(1000)])
    made = []
    make = ribd.group.Stream._make
    monkeypatch.setattr(ribd.group.Stream, "_make", lambda *arguments: made.append(1) or make(*arguments))
    for name in names:
        peer = SimulatedPeer(name, 1)
        peer.drain(daemon)
        assert len(peer.table) == 1000
    assert len(made) == 1
    assert len(daemon.state.rib.tables()) == 1


def test_what_was_packed_for_sessions_that_are_gone_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(1000)])
    shapes = [Shape(families=FAMILIES, local_as=65001 + number) for number in range(20)]
    for number, shape in enumerate(shapes):
        peer = SimulatedPeer("a", number, shape)
        peer.drain(daemon)
        assert len(peer.table) == 1000
    (groups,) = daemon.rib._groups.values()  # type: ignore[union-attr]
    assert len(groups) == len(shapes)
    daemon.loop.pass_time(100.0)
    assert [*groups] == shapes[-1:]
    daemon.say(peer.identity, Pull("a", 99, "", [], [], 0))
    daemon.loop.pass_time(10.0)
    assert not groups


def test_what_a_watchdog_withdraws_and_was_never_announced_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(1)])
    daemon.apply(["a"], 2, UNICAST, 0, [unicast(1), unicast(2)])
    assert len(daemon.state.rib.of["a"].family(UNICAST).entries) == 1
    versions = daemon.versions()
    daemon.start()
    assert daemon.versions() == versions


def test_withdrawing_again_after_tombstones_were_dropped_counts_alike_on_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ribd.table, "PURGE_AT", 1)
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(1)])
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(1)])
    daemon.loop.pass_time(100.0)
    assert not daemon.state.rib.of["a"].family(UNICAST).entries
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(1)])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(2)])
    versions = daemon.versions()
    daemon.start()
    assert daemon.versions() == versions

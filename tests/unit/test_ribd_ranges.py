"""The sessions of a range share its table, until one is addressed alone; what is for the range is for that one, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ribd.state
from bgp.family import IPV4_FLOW
from bus.schema import Applied, Apply, CountRoutes, Enrol, ListRoutes, Pull, Refused, RouteCounts, RoutePage, Sync
from tests.unit.rib_bench import UNICAST, Daemon, SimulatedPeer, attributes, unicast

RANGE = "192.0.2.0/24"
FIRST, SECOND = f"192.0.2.1@{RANGE}", f"192.0.2.2@{RANGE}"


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol([RANGE, "a"])
    yield daemon
    daemon.close()


def announce(daemon: Daemon, name: str, *numbers: int) -> None:
    daemon.apply([name], 1, UNICAST, 1, [unicast(number) for number in numbers])


def peer(name: str, life: int = 1) -> SimulatedPeer:
    """Return a session of the range; all of one life of its peerd come over one connection."""
    made = SimulatedPeer(name, life)
    made.identity = f"peerd-{life}".encode()
    return made


def has(each: SimulatedPeer, *numbers: int) -> bool:
    return {item for _, item in each.table} == {unicast(number) for number in numbers}


def gone(daemon: Daemon, identity: bytes, name: str) -> None:
    daemon.say(identity, Pull(name, 0, "", [], [], 0))


def test_every_session_is_sent_the_table_and_what_comes_later_at_once(daemon: Daemon) -> None:
    announce(daemon, RANGE, 1)
    first, second = peer(FIRST), peer(SECOND)
    first.drain(daemon)
    second.drain(daemon)
    assert has(first, 1)
    assert has(second, 1)
    daemon.server.sent.clear()
    announce(daemon, RANGE, 2)
    told = [message.neighbor for message in daemon.server.sent[b"peerd-1"]]  # type: ignore[attr-defined]
    assert sorted(told) == [FIRST, SECOND]
    assert len(daemon.state.rib.tables()) == 2


def test_what_is_for_one_address_is_for_that_one_only_and_what_is_for_the_range_for_all(daemon: Daemon) -> None:
    announce(daemon, RANGE, 1)
    first, second = peer(FIRST), peer(SECOND)
    first.drain(daemon)
    second.drain(daemon)
    announce(daemon, FIRST, 2)
    announce(daemon, RANGE, 3)
    daemon.apply([RANGE], 0, UNICAST, 1, [unicast(1)])
    for each, numbers in ((first, (2, 3)), (second, (3,))):
        each.drain(daemon)
        assert has(each, *numbers)
        assert each.announced == 1 + len(numbers)
        assert each.resyncs == 0
    daemon.apply([RANGE], 0, UNICAST, 1, [unicast(2)])
    first.drain(daemon)
    assert has(first, 3)


def test_one_request_for_the_range_and_one_of_it_holds_for_both_in_order(daemon: Daemon) -> None:
    changes = [[0, 1, *UNICAST, attributes(1), [unicast(1)]], [1, 0, *UNICAST, b"", [unicast(1)]]]
    assert daemon.request(Apply("other", "e", 1, [[RANGE], [FIRST]], changes)) == [Applied(1, "e")]
    first, second = peer(FIRST), peer(SECOND)
    first.drain(daemon)
    second.drain(daemon)
    assert has(first)
    assert has(second, 1)


@pytest.mark.parametrize("compact", [False, True])
def test_what_is_for_one_address_survives_our_death_and_a_reload_and_ends_with_the_range(
    daemon: Daemon, compact: bool
) -> None:
    announce(daemon, RANGE, 1)
    announce(daemon, FIRST, 2)
    first = peer(FIRST)
    first.drain(daemon)
    if compact:
        daemon.rib._journal.start_over(daemon.state.snapshot())  # type: ignore[union-attr]
    daemon.start()
    daemon.enrol([RANGE, "a", "b"])
    announce(daemon, RANGE, 3)
    first.drain(daemon)
    assert has(first, 1, 2, 3)
    assert (first.announced, first.resyncs) == (3, 0)
    daemon.enrol(["a"])
    assert not first.pull(daemon)
    daemon.enrol([RANGE, "a"])
    announce(daemon, RANGE, 4)
    assert FIRST not in daemon.state.rib.of
    again = peer(FIRST)
    again.drain(daemon)
    assert has(again, 4)


@pytest.mark.parametrize("other", ["192.0.2.1", "192.0.2.1~00000000"])
def test_what_is_for_one_address_is_forgotten_when_a_neighbor_takes_it_or_gives_it_back(
    daemon: Daemon, other: str
) -> None:
    daemon.apply([RANGE], 1, UNICAST, 1, [unicast(1), unicast(4), unicast(7)])
    daemon.apply([RANGE], 1, UNICAST, 1, [unicast(5)], 10)
    announce(daemon, FIRST, 2)
    announce(daemon, SECOND, 3)
    daemon.apply([FIRST], 1, UNICAST, 2, [unicast(4)])
    daemon.apply([FIRST], 1, UNICAST, 2, [unicast(5)])
    daemon.apply([FIRST], 1, IPV4_FLOW, 1, [unicast(6)])
    daemon.apply([FIRST], 0, UNICAST, 1, [unicast(7)])
    first, second = peer(FIRST), peer(SECOND)
    first.drain(daemon)
    second.drain(daemon)
    told = second.announced
    daemon.enrol([RANGE, "a", other])
    for each, numbers in ((first, (1, 4, 5, 7)), (second, (1, 3, 4, 5, 7))):
        each.drain(daemon)
        assert has(each, *numbers)
        assert each.resyncs == 0
    assert second.announced == told
    assert daemon.state.rib.of[FIRST].families[IPV4_FLOW].entries.keys() == {unicast(6)}
    assert len(daemon.state.rib.of[FIRST].families[IPV4_FLOW]) == 0
    announce(daemon, FIRST, 2)  # somebody who knows nothing of the neighbor
    versions = daemon.versions()
    daemon.start()
    assert daemon.versions() == versions
    daemon.enrol([RANGE, "a"])
    first.drain(daemon)
    assert has(first, 1, 4, 5, 7)
    announce(daemon, FIRST, 2)
    daemon.enrol([RANGE, "a", "b"])
    first.drain(daemon)
    assert has(first, 1, 2, 4, 5, 7)
    daemon.loop.pass_time(11.0)
    first.drain(daemon)
    assert has(first, 1, 2, 4, 7)


def test_a_lease_of_the_range_ends_without_the_routes_that_one_address_was_given(daemon: Daemon) -> None:
    daemon.apply([RANGE], 1, UNICAST, 1, [unicast(1), unicast(2)], 10)
    announce(daemon, FIRST, 1)
    one, two = peer(FIRST), peer(SECOND)
    daemon.loop.pass_time(11.0)
    one.drain(daemon)
    two.drain(daemon)
    assert has(one, 1)
    assert has(two)
    versions = daemon.versions()
    daemon.start()
    assert daemon.versions() == versions


def test_a_new_process_of_the_range_leaves_nothing_of_the_former_behind(daemon: Daemon) -> None:
    former, present = peer(FIRST, 1), peer(SECOND, 2)
    former.drain(daemon)
    present.drain(daemon)
    announce(daemon, RANGE, 1)
    assert daemon.say(b"waiting", Sync("helper", "e", 1, [RANGE], 5.0)) == []
    gone(daemon, b"peerd-2", RANGE)
    assert daemon.server.sent.get(b"waiting", []) == []
    present.drain(daemon)
    assert daemon.server.sent.pop(b"waiting") == [Applied(1, "e")]


def test_after_our_start_a_range_is_waited_for_until_its_sessions_have_all(daemon: Daemon) -> None:
    first = peer(FIRST)
    first.drain(daemon)
    announce(daemon, RANGE, 1)
    daemon.start()
    assert daemon.say(b"waiting", Sync("helper", "e", 1, [RANGE], 5.0)) == []
    outbound = first.outbound
    daemon.say(first.identity, Pull(FIRST, 9, outbound.lineage, first.shape.to_wire(), outbound.to_wire(), 0))
    gone(daemon, first.identity, RANGE)
    assert daemon.server.sent.get(b"waiting", []) == []
    first.drain(daemon)
    assert daemon.server.sent.pop(b"waiting") == [Applied(1, "e")]


def test_an_address_shows_the_ranges_routes_or_its_own(daemon: Daemon) -> None:
    announce(daemon, RANGE, 1)
    announce(daemon, FIRST, 2)
    (counts,) = daemon.say(b"x", CountRoutes(1, [RANGE, FIRST, SECOND, "192.0.2.3@nowhere"]))
    assert counts == RouteCounts(1, [1, 2, 1, 0])
    for name, items in ((FIRST, [1, 2]), (SECOND, [1])):
        (page,) = daemon.say(b"x", ListRoutes(1, name, 0, 10))
        assert isinstance(page, RoutePage)
        assert [row[3] for row in page.rows] == [unicast(number) for number in items]


def test_only_so_many_addresses_of_a_range_have_routes_of_their_own(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ribd.state, "APART", 1)
    change = [0, 1, *UNICAST, attributes(1), [unicast(1)]]
    (refused,) = daemon.request(Apply("both", "e", 1, [[FIRST, SECOND]], [change]))
    assert isinstance(refused, Refused)
    announce(daemon, FIRST, 1)
    announce(daemon, FIRST, 2)
    (refused,) = daemon.request(Apply("other", "e", 1, [[SECOND]], [change]))
    assert isinstance(refused, Refused)
    assert "1 addresses" in refused.reason


@pytest.mark.parametrize(("name", "numbers", "good"), [(FIRST, [2], True), (FIRST, [2, 3], False), (RANGE, [2], True)])
def test_the_limit_of_a_ranges_rules_is_that_of_each_of_its_addresses(
    daemon: Daemon, name: str, numbers: list[int], good: bool
) -> None:
    def rules(*which: int) -> list[bytes]:
        return [bytes(4) + b"\x06\x01\x20\x0a\x00\x00" + bytes((number,)) for number in which]

    daemon.sequence += 1
    daemon.request(Enrol("client", "epoch", daemon.sequence, [RANGE, "a"], {RANGE: 2}))
    daemon.apply([RANGE], 1, IPV4_FLOW, 1, rules(1))
    change = [0, 1, *IPV4_FLOW, attributes(1), rules(*numbers)]
    (answer,) = daemon.request(Apply("other", "e", 1, [[name]], [change]))
    assert isinstance(answer, Applied if good else Refused)
    if good and name == FIRST:
        (answer,) = daemon.request(Apply("other", "e", 2, [[RANGE]], [[*change[:5], rules(5)]]))
        assert isinstance(answer, Refused)

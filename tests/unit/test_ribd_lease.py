"""Leases: withdrawn in time unless renewed, over deaths and splits of a table too; every end is journalled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgp.family import IPV4_FLOW
from bus.schema import LONGEST_LEASE, Apply, ListRoutes, Refused, RoutePage
from ribd.lease import Leases
from tests.unit.rib_bench import LABELLED, UNICAST, Daemon, SimulatedPeer, attributes, labelled, unicast


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a", "b"])
    yield daemon
    daemon.close()


def announce(daemon: Daemon, *numbers: int, lease: int = 0, which: int = 1, names: tuple[str, ...] = ("a",)) -> None:
    daemon.apply(names, 1, UNICAST, which, [unicast(number) for number in numbers], *([lease] if lease else []))


def routes(daemon: Daemon, name: str = "a") -> list[bytes]:
    table = daemon.state.rib.of[name]
    return [item for family in table.families.values() for _, item in family.routes()]


def test_leases_end_in_the_order_of_their_ends_whatever_their_lengths() -> None:
    leases = Leases()
    leases.begin([b"long", b"short"], 10, 0.0)
    leases.begin([b"short"], 3, 1.0)
    leases.begin([b"other"], 3, 2.0)
    assert [sorted(leases.over(now)) for now in (3.9, 4.0, 5.0, 10.0)] == [
        [],
        [b"short"],
        [b"other", b"short"],
        [b"long", b"other", b"short"],
    ]
    assert [leases.left(key, 2.5) for key in (b"short", b"long", b"none")] == [2, 8, None]
    leases.end([b"short", b"none"])
    assert sorted(leases.over(100.0)) == [b"long", b"other"]


def test_a_route_is_withdrawn_when_its_lease_is_over_and_no_other_route_is(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    announce(daemon, 1)
    announce(daemon, 2, 3, lease=30)
    peer.drain(daemon)
    daemon.loop.pass_time(29.0)
    assert routes(daemon) == [unicast(number) for number in (1, 2, 3)]
    daemon.loop.pass_time(1.0)
    assert routes(daemon) == [unicast(1)]
    peer.drain(daemon)
    assert [item for _, item in peer.table.values()] == [unicast(1)]
    assert (peer.announced, peer.withdrawn) == (3, 2)


def test_renewing_a_lease_costs_no_update_and_lets_the_route_stay(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    announce(daemon, 1, lease=30)
    peer.drain(daemon)
    for _ in range(3):
        daemon.loop.pass_time(29.0)
        announce(daemon, 1, lease=30)
    peer.drain(daemon)
    assert (peer.announced, peer.withdrawn) == (1, 0)
    announce(daemon, 1, lease=30, which=2)  # with other attributes it is renewed, too
    daemon.loop.pass_time(29.0)
    assert routes(daemon) == [unicast(1)]


def test_an_announcement_without_a_lease_makes_the_route_permanent(daemon: Daemon) -> None:
    announce(daemon, 1, 2, lease=30)
    announce(daemon, 1)
    daemon.loop.pass_time(60.0)
    assert routes(daemon) == [unicast(1)]


def test_a_withdrawal_ends_the_lease_so_that_a_later_announcement_stays(daemon: Daemon) -> None:
    announce(daemon, 1, lease=30)
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(1)])
    announce(daemon, 1)
    announce(daemon, 2, lease=30)
    daemon.clear(["a"])
    announce(daemon, 1, 2)
    daemon.loop.pass_time(60.0)
    assert routes(daemon) == [unicast(1), unicast(2)]


def test_a_renewal_that_comes_with_the_end_is_in_time(daemon: Daemon) -> None:
    announce(daemon, 1, lease=30)
    daemon.loop.time += 31.0
    daemon.sequence += 1
    request = Apply("client", "epoch", daemon.sequence, [["a"]], [[0, 1, *UNICAST, attributes(1), [unicast(1)], 30]])
    daemon.rib._request(b"client", request, b"")  # type: ignore[union-attr]  # not committed yet
    daemon.loop.pass_time(0.0)
    assert routes(daemon) == [unicast(1)]


def test_a_split_table_keeps_the_leases_of_both_halves(daemon: Daemon) -> None:
    announce(daemon, 1, 2, lease=30, names=("a", "b"))
    announce(daemon, 1, names=("b",))
    daemon.loop.pass_time(30.0)
    assert (routes(daemon, "a"), routes(daemon, "b")) == ([], [unicast(1)])


def test_the_lease_is_of_the_route_whatever_its_label(daemon: Daemon) -> None:
    daemon.apply(["a"], 1, LABELLED, 1, [labelled(1, 16)], 30)
    daemon.apply(["a"], 1, LABELLED, 1, [labelled(1, 17)])
    daemon.apply(["a"], 1, LABELLED, 1, [labelled(2, 16)], 30)
    daemon.loop.pass_time(30.0)
    assert routes(daemon) == [labelled(1, 17)]


@pytest.mark.parametrize("compacted", [False, True])
def test_a_lease_has_its_whole_length_again_after_a_death(daemon: Daemon, compacted: bool) -> None:
    announce(daemon, 1, lease=30)
    announce(daemon, 2)
    daemon.loop.pass_time(20.0)
    if compacted:
        daemon.rib._journal.start_over(daemon.state.snapshot())  # type: ignore[union-attr]
    daemon.start()
    daemon.loop.pass_time(29.0)
    assert routes(daemon) == [unicast(1), unicast(2)]
    daemon.loop.pass_time(1.0)
    assert routes(daemon) == [unicast(2)]


def test_the_end_of_a_lease_survives_a_death_with_the_same_versions(daemon: Daemon) -> None:
    announce(daemon, 1, lease=30)
    daemon.loop.pass_time(30.0)
    versions = daemon.versions()
    daemon.start()
    assert daemon.versions() == versions
    assert routes(daemon) == []


def test_a_journal_that_cannot_be_written_lets_the_lease_end_later(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(daemon, 1, lease=30)

    def full(_payloads: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(daemon.rib._journal, "append", full)  # type: ignore[union-attr]
        daemon.loop.pass_time(30.0)
        assert routes(daemon) == [unicast(1)]
    daemon.loop.pass_time(1.0)
    assert routes(daemon) == []


def test_a_page_of_routes_says_how_long_a_lease_still_is(daemon: Daemon) -> None:
    announce(daemon, 1)
    announce(daemon, 2, lease=30)
    daemon.loop.time += 10.5
    (page,) = daemon.say(b"asker", ListRoutes(1, "a", 0, 10))
    assert isinstance(page, RoutePage)
    assert page.rows == [[*UNICAST, attributes(1), unicast(1)], [*UNICAST, attributes(1), unicast(2), 20]]


@pytest.mark.parametrize("change", [[1, 0], [1, LONGEST_LEASE + 1], [1, "30"], [1, True], [0, 30], [1, 30, 30]])
def test_a_lease_that_is_none_is_refused(daemon: Daemon, change: list[object]) -> None:
    announced, *lease = change
    request = Apply("client", "epoch", 99, [["a"]], [[0, announced, *UNICAST, b"", [unicast(1)], *lease]])
    assert isinstance(daemon.request(request)[0], Refused)
    assert daemon.state.rib.of["a"].families == {}


def test_the_leases_of_many_long_rules_end_in_requests_that_the_journal_takes(daemon: Daemon) -> None:
    def rules(start: int) -> list[bytes]:
        return [bytes(4) + number.to_bytes(2, "big") * 2000 for number in range(start, start + 2500)]

    for start in (0, 2500):
        daemon.apply(["a"], 1, IPV4_FLOW, 1, rules(start), 30)
    assert len(routes(daemon)) == 5000
    daemon.loop.pass_time(30.0)
    assert routes(daemon) == []

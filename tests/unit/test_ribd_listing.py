"""Pages of routes: every route once, from one copy of the table, never more than the bus carries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ribd.listing
from bus.schema import MESSAGE_LIMIT, ListRoutes, RoutePage, pack
from ribd.server import HOUSEKEEPING
from tests.unit.rib_bench import LABELLED, UNICAST, Daemon, labelled, unicast


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(number) for number in range(25)])
    daemon.apply(["a"], 1, LABELLED, 1, [labelled(number, 16) for number in range(5)])
    yield daemon
    daemon.close()


def page(daemon: Daemon, after: int, limit: int = 10, asker: bytes = b"asker") -> RoutePage:
    (answer,) = daemon.say(asker, ListRoutes(1, "a", after, limit))
    assert isinstance(answer, RoutePage)
    return answer


def everything(daemon: Daemon, limit: int = 10, asker: bytes = b"asker") -> list[bytes]:
    found, after = [], 0
    while after >= 0:
        answer = page(daemon, after, limit, asker)
        assert len(answer.rows) <= limit
        found += [row[3] for row in answer.rows]
        after = answer.after
    return found


ALL = [*(unicast(number) for number in range(25)), *(labelled(number, 16) for number in range(5))]


@pytest.mark.parametrize("limit", [1, 3, 10, 25, 30, 31])
def test_pages_together_hold_every_route_once_in_order(daemon: Daemon, limit: int) -> None:
    assert everything(daemon, limit) == ALL


def test_withdrawn_routes_are_not_there(daemon: Daemon) -> None:
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(number) for number in range(0, 25, 2)])
    assert everything(daemon) == [item for item in ALL if item not in ALL[:25:2]]


def test_a_listing_shows_the_table_as_it_was_when_it_began(daemon: Daemon) -> None:
    first = page(daemon, 0)
    daemon.apply(["a"], 0, UNICAST, 0, [unicast(12)])
    daemon.apply(["a"], 1, UNICAST, 2, [unicast(3), unicast(14)])
    second = page(daemon, first.after)
    assert [row[3] for row in first.rows + second.rows] == ALL[:20]


def test_the_table_is_copied_once_for_all_pages(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    first = page(daemon, 0)
    parts, _ = daemon.rib._listings._kept[b"asker", "a"]  # type: ignore[union-attr]
    page(daemon, first.after)
    assert daemon.rib._listings._kept[b"asker", "a"][0] is parts  # type: ignore[union-attr]


def test_listings_that_were_given_up_go_on_and_are_forgotten_at_their_end(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ribd.listing, "LISTINGS", 2)
    starts = [page(daemon, 0, asker=name) for name in (b"1", b"2", b"3")]
    second = page(daemon, starts[0].after, asker=b"1")
    assert [row[3] for row in second.rows] == ALL[10:20]
    for name in (b"1", b"2", b"3"):
        assert everything(daemon, asker=name) == ALL
    assert daemon.rib._listings._kept == {}  # type: ignore[union-attr]


def test_a_listing_that_was_given_up_does_not_keep_old_routes_alive(daemon: Daemon) -> None:
    going_on, given_up = page(daemon, 0, asker=b"1"), page(daemon, 0, asker=b"2")
    for _ in range(int(ribd.listing.PATIENCE / HOUSEKEEPING) + 1):
        daemon.loop.pass_time(HOUSEKEEPING)
        going_on = page(daemon, going_on.after, 1, asker=b"1")
    assert [*daemon.rib._listings._kept] == [(b"1", "a")]  # type: ignore[union-attr]
    assert [row[3] for row in page(daemon, given_up.after, 10, asker=b"2").rows] == ALL[10:20]


def test_a_page_fits_the_bus_whatever_the_routes_are(daemon: Daemon) -> None:
    long = b"\xd0\x63\xff\xf0" + bytes(0xFFF0)  # one attribute of nearly 64 KiB
    for number in range(300):
        daemon.state.rib.of["a"].family(UNICAST).announce(long + bytes(number % 2), [unicast(1000 + number)])
    after = pages = 0
    while after >= 0:
        answer = page(daemon, after, 10_000)
        assert answer.rows
        assert len(pack(answer)) < MESSAGE_LIMIT / 2
        after, pages = answer.after, pages + 1
    assert pages > 4


def test_an_unknown_neighbor_has_no_routes(daemon: Daemon) -> None:
    assert daemon.say(b"asker", ListRoutes(3, "nobody", 0, 10)) == [RoutePage(3, "nobody", -1, [])]

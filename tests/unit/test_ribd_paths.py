"""Several paths of a prefix, sent to peers with ADD-PATH and without."""

from __future__ import annotations

import pytest

from tests.unit.rib_bench import LABELLED, UNICAST, Daemon, SimulatedPeer, labelled, unicast


def path(number: int, item: bytes) -> bytes:
    """Return an item with this path identifier."""
    return number.to_bytes(4, "big") + item[4:]


@pytest.mark.parametrize(("family", "item"), [(UNICAST, unicast(1)), (LABELLED, labelled(1, 16))])
def test_without_add_path_another_path_takes_the_place_of_one_that_is_withdrawn(
    daemon: Daemon, family: tuple[int, int], item: bytes
) -> None:
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    for number in (1, 2, 3):
        daemon.apply(["a"], 1, family, number, [path(number, item)])  # type: ignore[arg-type]
    peer.drain(daemon)
    seen = []
    for number in (3, 1, 2):
        daemon.apply(["a"], 0, family, 0, [path(number, item)])  # type: ignore[arg-type]
        peer.drain(daemon)
        seen.append([attributes for attributes, _ in peer.table.values()])
    assert seen == [[2], [2], []]


def test_paths_that_are_all_withdrawn_at_once_leave_none(daemon: Daemon) -> None:
    peer = SimulatedPeer("a", 1)
    daemon.apply(["a"], 1, UNICAST, 1, [path(number, unicast(1)) for number in (1, 2)])
    peer.drain(daemon)
    daemon.apply(["a"], 0, UNICAST, 0, [path(number, unicast(1)) for number in (1, 2)])
    peer.drain(daemon)
    assert peer.table == {}

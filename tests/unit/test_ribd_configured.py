"""What a configuration says twice, and what a reload says while no session has been up yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.schema import Applied, Apply, Enrol
from tests.unit.rib_bench import LABELLED, UNICAST, Daemon, SimulatedPeer, attributes, labelled, unicast


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, monkeypatch)
    yield daemon
    daemon.close()


def configure(daemon: Daemon, *changes: tuple[int, int, int]) -> None:
    """Have control apply (announce, number of the attribute set, number of the route), then enrol the neighbor."""
    daemon.sequence += 1
    rows = [
        [0, announce, *UNICAST, attributes(which) if announce else b"", [unicast(number)]]
        for announce, which, number in changes
    ]
    assert daemon.request(Apply("control", "e", daemon.sequence, [["a"]], rows)) == [Applied(daemon.sequence, "e")]
    daemon.sequence += 1
    daemon.request(Enrol("control", "e", daemon.sequence, ["a"]))


def test_the_first_session_is_sent_both_forms_of_a_route_that_is_configured_twice(daemon: Daemon) -> None:
    configure(daemon, (1, 1, 1), (1, 2, 1))
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    assert peer.announced == 2
    assert peer.table == {(UNICAST, unicast(1)): (2, unicast(1))}


def test_reloads_before_the_first_session_leave_nothing_but_their_last_word(daemon: Daemon) -> None:
    configure(daemon, (1, 1, 1), (1, 1, 2))
    for which in range(2, 30):
        configure(daemon, (1, which, 1), (1, which, 2))
    configure(daemon, (0, 0, 1))
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    assert peer.table == {(UNICAST, unicast(2)): (29, unicast(2))}
    assert peer.announced == 1


def test_a_route_that_is_configured_twice_and_withdrawn_before_the_first_session_is_not_sent(daemon: Daemon) -> None:
    configure(daemon, (1, 1, 1), (1, 2, 1), (1, 1, 2))
    configure(daemon, (0, 0, 1))
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    assert peer.table == {(UNICAST, unicast(2)): (1, unicast(2))}


def test_a_replay_numbers_what_was_cleared_alike_though_a_session_had_asked_for_families_first(daemon: Daemon) -> None:
    daemon.enrol(["a"])
    SimulatedPeer("a", 1).drain(daemon)  # asks for unicast first
    daemon.apply(["a"], 1, LABELLED, 1, [labelled(1, 16)])
    daemon.apply(["a"], 1, UNICAST, 1, [unicast(1), unicast(2)])
    daemon.clear(["a"])
    versions = daemon.versions()
    daemon.start()
    assert daemon.versions() == versions

"""End-of-RIB that was held for helpers: it follows everything that ribd had when it was released."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.rib_bench import FAMILIES, UNICAST, Daemon, SimulatedPeer, unicast

CREDIT = 64  # octets: an UPDATE or so for each answer


@pytest.mark.parametrize("withdrawn", [0, 5])
def test_end_of_rib_follows_all_that_there_was_at_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, withdrawn: int
) -> None:
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["n"])
    peer = SimulatedPeer("n", 1)
    peer.outbound.held = True
    daemon.apply(["n"], 1, UNICAST, 0, [unicast(number) for number in range(10)])
    peer.drain(daemon)
    assert not peer.ends
    for number in range(10, 40):
        daemon.apply(["n"], 1, UNICAST, number, [unicast(number)])
    if withdrawn:
        daemon.apply(["n"], 0, UNICAST, 0, [unicast(number) for number in range(withdrawn)])
    assert peer.outbound.release()
    while not peer.ends:
        assert len(peer.table) < 40 - withdrawn or peer.outbound.unmarked
        assert peer.pull(daemon, CREDIT)
    assert peer.ends == list(FAMILIES)
    assert len(peer.table) == 40 - withdrawn
    daemon.close()

"""A neighbor that is removed and comes back: its table is another one, though the versions in it may be the same."""

from __future__ import annotations

import pytest

from bus.schema import ANNOUNCE
from tests.unit.rib_bench import UNICAST, Daemon, SimulatedPeer, unicast


@pytest.mark.parametrize("die", ["not at all", "while it is away", "when it is back", "after a snapshot"])
def test_a_session_that_has_not_noticed_is_sent_the_new_table(daemon: Daemon, die: str) -> None:
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [unicast(1), unicast(2)])
    peer = SimulatedPeer("a", 1)
    peer.drain(daemon)
    daemon.enrol(["b"])
    if die == "while it is away":
        daemon.start()
    daemon.enrol(["a", "b"])
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [unicast(3), unicast(4)])
    if die == "after a snapshot":
        daemon.rib._journal.start_over(daemon.state.snapshot())  # type: ignore[union-attr]
    if die in ("when it is back", "after a snapshot"):
        daemon.start()
    peer.pull(daemon)
    assert peer.resyncs == 1
    after = SimulatedPeer("a", 2)
    after.drain(daemon)
    assert after.table.keys() == {(UNICAST, unicast(3)), (UNICAST, unicast(4))}


def test_the_others_go_on_as_they_are(daemon: Daemon) -> None:
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [unicast(1)])
    peer = SimulatedPeer("a", 1, may_resync=False)
    peer.drain(daemon)
    daemon.enrol(["a", "b"])
    daemon.enrol(["a"])
    daemon.enrol(["a", "b"])
    daemon.start()
    daemon.apply(["a"], ANNOUNCE, UNICAST, 1, [unicast(2)])
    peer.drain(daemon)
    assert peer.table.keys() == {(UNICAST, unicast(1)), (UNICAST, unicast(2))}

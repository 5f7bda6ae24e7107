"""Kill -9 of every process while 2,000 commands a second are on their way; `python -m tools.faults` kills at length.

No session drops but that of the peerd that died; nothing that was acknowledged is lost; nothing that was withdrawn
comes back; no peer is sent an UPDATE that it did not need; nobody is left behind, and nothing runs twice.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bgp.family import IPV4_UNICAST
from tests.faults.kills import VICTIMS, kill
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, processes_with, route
from tests.system.peer import Peer

SEED = 4711
TIMES = 2  # for each victim; together some 40 seconds
ROUTES = 100


def test_whatever_is_killed_in_whatever_order_costs_nobody_anything(directory: Path) -> None:
    killed = kill(directory, dict.fromkeys(VICTIMS, TIMES), SEED, free_port())
    assert killed.harm == {}
    assert killed.kills == dict.fromkeys(VICTIMS, TIMES)
    assert killed.commands > 10_000


@pytest.fixture
def announced(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> tuple[Daemon, Peer]:
    """Start a daemon with a peer and routes that were acknowledged."""
    helper, peer = make_helper("once"), make_peer()
    daemon = start(helper.configuration() + neighbor(peer, "api { processes [ once ]; }"))
    peer.established()
    helper.say("".join(map(announce, range(ROUTES))))
    assert helper.answers(ROUTES) == ["done"] * ROUTES
    return daemon, peer


def test_when_bgpbus_itself_is_killed_nobody_is_left_and_what_was_acknowledged_is_there_again(
    announced: tuple[Daemon, Peer], directory: Path
) -> None:
    daemon, peer = announced
    assert daemon.process is not None
    daemon.process.signal(signal.SIGKILL)
    wait_for(lambda: not processes_with(str(directory)), 8, lambda: f"{processes_with(str(directory))} to end")
    assert peer.ended().notification is not None
    daemon.start()
    peer.established(2)
    peer.has(set(map(route, range(ROUTES))))
    peer.quiet()
    assert not peer.session.withdrawn


def test_a_command_over_which_control_dies_is_carried_out_once_and_answered_once(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    helper, peer = make_helper("p"), make_peer()
    daemon = start(helper.configuration() + neighbor(peer, "api { processes [ p ]; }"))
    peer.established()
    helper.say(announce(1))
    assert helper.answers(1) == ["done"]
    peer.wait(lambda: peer.session.ends_of_rib.count(IPV4_UNICAST), PATIENCE, "the session's own End-of-RIB")
    peerd = daemon.kill(f"peerd-{peer.address}", signal.SIGSTOP)
    before = peer.session.ends_of_rib.count(IPV4_UNICAST)
    helper.say(f"neighbor {peer.address} announce eor ipv4 unicast\n")
    time.sleep(0.5)  # the session has been told, and cannot answer yet
    daemon.restarted("control", daemon.kill("control"))
    time.sleep(0.5)  # it has been told again
    os.kill(peerd, signal.SIGCONT)
    assert helper.answers(1) == ["done"]
    peer.wait(lambda: peer.session.ends_of_rib.count(IPV4_UNICAST) > before, PATIENCE, "the End-of-RIB")
    peer.quiet()
    assert peer.session.ends_of_rib.count(IPV4_UNICAST) == before + 1
    helper.say("version\n")
    assert len(helper.answers(2)) == 2
    assert helper.heard() == []

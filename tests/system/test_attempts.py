"""`tcp.attempts` and `tcp.once`: everything ends, in order, once no session is left that would try again."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, neighbor, processes_with
from tests.system.peer import Peer

API = "api { processes [ p ]; neighbor-changes; }"


def ended(daemon: Daemon, seconds: float = PATIENCE) -> bool:
    """Wait until a daemon has ended by itself; whether it did so in good order and left nothing behind."""
    assert daemon.process is not None
    status = daemon.process.wait(seconds)
    left = [path.name for path in (daemon.run.journal, daemon.run.applied, daemon.run.settings) if path.exists()]
    assert (left, processes_with(str(daemon.directory))) == ([], []), daemon.tail()
    return status == 0


def runs(daemon: Daemon, seconds: float = 3) -> bool:
    """Whether a daemon is still there after a while."""
    time.sleep(seconds)
    return daemon.process is not None and daemon.process.running()


def hang_up(peer: Peer) -> None:
    """Close the session's connection."""
    peer.session.sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("option", "value", "dials"), [("once", "true", 1), ("attempts", "3", 3)])
def test_a_peer_that_cannot_be_reached_ends_everything(
    start: Callable[..., Daemon], make_helper: Callable[[str], Helper], option: str, value: str, dials: int
) -> None:
    helper, peer = make_helper("p"), Peer("127.0.9.9", 1)
    daemon = start(helper.configuration() + neighbor(peer, API), **{f"exabgp_tcp_{option}": value})
    assert ended(daemon)
    assert f"attempts used up peer=127.0.9.9 attempts={dials}" in daemon.log.read_text()


def test_with_the_end_of_the_only_session_its_helper_hears_all_and_everything_ends(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    peer, helper = make_peer(), make_helper("p")
    daemon = start(helper.configuration() + neighbor(peer, API), exabgp_tcp_once="true")
    peer.established()
    wait_for(lambda: f"neighbor {peer.address} up" in helper.heard(), PATIENCE, "the helper to hear of it")
    assert runs(daemon, 1)
    hang_up(peer)
    assert ended(daemon)
    assert len(peer.sessions) == 1
    lines = [line for line in helper.heard() if line]
    assert lines[0].startswith(f"neighbor {peer.address} down")
    assert lines[-1].startswith("shutdown")


def test_sessions_count_as_attempts_and_whoever_waits_for_a_peer_keeps_everything_up(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peer, unreachable, passive = make_peer(), Peer("127.0.9.9", 1), make_peer(listen=False)
    text = neighbor(peer) + neighbor(unreachable)
    daemon = start(text + neighbor(passive, "passive;"), exabgp_tcp_attempts="2")
    for count in (1, 2):
        peer.established(count)
        hang_up(peer)
    assert runs(daemon)
    assert len(peer.sessions) == 2
    daemon.file.write_text(text)
    daemon.ask("reload")
    assert ended(daemon)


def test_the_deaths_of_others_change_nothing_of_it_and_who_is_opened_again_tries_anew(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peers = [make_peer(), make_peer()]
    daemon = start("".join(map(neighbor, peers)), exabgp_tcp_once="true")
    for peer in peers:
        peer.established()
    hang_up(peers[0])
    daemon.logs("attempts used up")
    daemon.restarted("control", daemon.kill("control"))
    daemon.ask("peer", peers[1].address, "shutdown")
    assert runs(daemon)
    daemon.ask("peer", peers[1].address, "enable")
    peers[1].established(2)
    daemon.restarted(f"peerd-{peers[1].address}", daemon.kill(f"peerd-{peers[1].address}"))
    peers[1].established(3)
    assert runs(daemon, 1)
    hang_up(peers[1])
    assert ended(daemon)


def test_a_reload_lets_a_neighbor_with_other_settings_try_anew(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    unreachable, late, peer = Peer("127.0.9.9", 1), make_peer(listen=False), make_peer()
    first, second = neighbor(unreachable), neighbor(late)
    daemon = start(first + second + neighbor(peer), exabgp_tcp_once="true")
    peer.established()
    daemon.logs("attempts used up", 2)
    daemon.ask("status")  # control has heard of it when it has an answer of every process
    late.listen()
    daemon.file.write_text(first + second.replace("peer-as", "hold-time 30; peer-as"))
    pid = daemon.programs()[f"peerd-{late.address}"]
    os.kill(pid, signal.SIGSTOP)  # what it said before is nothing to go by
    daemon.ask("reload")
    assert runs(daemon, 1)
    os.kill(pid, signal.SIGCONT)
    late.established()
    assert "the daemon ends" not in daemon.log.read_text()
    hang_up(late)
    assert ended(daemon)


def test_the_option_of_the_command_line_means_the_same(start: Callable[..., Daemon], directory: Path) -> None:
    daemon = start(neighbor(Peer("127.0.9.9", 1)), begin=False)
    command, daemon.command = daemon.command, lambda *words: [*command(*words), "-1"]  # type: ignore[method-assign]
    assert ended(daemon.start())

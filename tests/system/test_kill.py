"""Kill -9 of every process while commands are on their way.

No session drops but that of the peerd that died; nothing that was acknowledged is lost; nothing that was withdrawn
comes back; no peer is sent an UPDATE that it did not need; nobody is left behind.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bgp.notification import Notification
from tests.routers.process import wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, processes_with, route, withdraw
from tests.system.peer import Peer

CHUNK = 100  # routes in a step of the flow


class Flow:
    """Commands that a helper says, and what must come of them."""

    def __init__(self, helper: Helper) -> None:
        self.helper = helper
        self.expected: set[int] = set()
        self.gone: set[int] = set()
        self.number = 0

    def begin(self) -> tuple[list[int], list[int], str]:
        """Return the next routes to announce, older ones to withdraw, and the commands."""
        new = list(range(self.number, self.number + CHUNK))
        self.number += CHUNK
        old = sorted(self.expected)[: CHUNK // 4]
        return new, old, "".join([announce(number) for number in new] + [withdraw(number) for number in old])

    def done(self, new: list[int], old: list[int]) -> None:
        """Note that the commands were acknowledged."""
        self.expected |= set(new)
        self.expected -= set(old)
        self.gone |= set(old)

    def step(self, daemon: Daemon | None = None, victims: Sequence[str] = (), delay: float = 0.0) -> dict[str, int]:
        """Say commands, kill somebody, and wait for every acknowledgement; return whom, by their process ids."""
        new, old, text = self.begin()
        self.helper.say(text)
        killed = {}
        for victim in victims:
            assert daemon is not None
            time.sleep(delay)
            killed[victim] = daemon.kill(victim)
        count = len(new) + len(old)
        assert self.helper.answers(count) == ["done"] * count
        self.done(new, old)
        return killed

    def check(self, peer: Peer) -> None:
        """Compare with the peer's table, and see that nothing was said twice in the session."""
        peer.has({route(number) for number in self.expected})
        peer.quiet()
        session = peer.session
        assert session.table.keys() == {route(number) for number in self.expected}
        twice = [key for key, count in session.announced.items() if count > 1]
        assert not twice, f"{len(twice)} routes were announced again, such as {twice[:3]}"
        again = [key for key, count in session.withdrawn.items() if count > 1]
        assert not again, f"{len(again)} routes were withdrawn again, such as {again[:3]}"


@pytest.fixture
def bed(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> tuple[Daemon, list[Peer], Flow]:
    """Start a daemon with two peers that it dials and a helper for both."""
    helper = make_helper("flow")
    peers = [make_peer(), make_peer()]
    api = "api { processes [ flow ]; }"
    daemon = start(helper.configuration() + "".join(neighbor(peer, api) for peer in peers))
    flow = Flow(helper)
    for peer in peers:
        peer.established()
    flow.step()
    return daemon, peers, flow


@pytest.mark.parametrize("victim", ["ribd", "broker", "control"])
def test_a_daemon_that_is_killed_costs_nobody_anything(bed: tuple[Daemon, list[Peer], Flow], victim: str) -> None:
    daemon, peers, flow = bed
    rng = random.Random(victim)
    for _ in range(3 if victim == "ribd" else 2):
        killed = flow.step(daemon, [victim], rng.uniform(0, 0.01))
        flow.step()
        daemon.restarted(victim, killed[victim])
    flow.step()
    for peer in peers:
        flow.check(peer)
        assert len(peer.sessions) == 1
        assert peer.session.ended is None


@pytest.mark.parametrize("victim", ["helper-flow", "the helper itself"])
def test_a_helper_or_its_bridge_that_is_killed_starts_again_and_what_was_announced_stays(
    bed: tuple[Daemon, list[Peer], Flow], victim: str
) -> None:
    daemon, peers, flow = bed
    rng = random.Random(victim)
    for _ in range(2):
        helper = wait_for(flow.helper.pid, 10, "the helper to run")
        new, old, text = flow.begin()
        flow.helper.say(text)
        time.sleep(rng.uniform(0, 0.01))
        if victim == "helper-flow":
            daemon.kill(victim)
        else:
            os.kill(helper, signal.SIGKILL)
        flow.helper.restarted(helper)
        time.sleep(0.3)  # whatever was on its way arrives, or never will
        flow.helper.heard()
        flow.helper.say(text)  # it cannot know how far it came: it says all again
        count = len(new) + len(old)
        answers = [line for line in flow.helper.answers(count) if line != "shutdown"]
        assert answers[-count:] == ["done"] * count
        flow.done(new, old)
    flow.step()
    for peer in peers:
        flow.check(peer)
        assert len(peer.sessions) == 1
        assert peer.session.ended is None
    assert len(processes_with(str(flow.helper.directory))) == 1


def test_a_peerd_that_is_killed_costs_its_own_session_alone(bed: tuple[Daemon, list[Peer], Flow]) -> None:
    daemon, (victim, other), flow = bed
    name = f"peerd-{victim.address}"
    for round_number in range(2, 4):
        killed = flow.step(daemon, [name])
        session = victim.established(round_number)
        flow.step()
        victim.has({route(number) for number in flow.expected})
        assert session.withdrawn.keys() <= {route(number) for number in flow.gone}
        daemon.restarted(name, killed[name])
    flow.step()
    flow.check(victim)
    flow.check(other)
    assert len(other.sessions) == 1
    assert other.session.ended is None


def test_a_listener_that_is_killed_costs_no_session_and_takes_new_ones_again(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    helper = make_helper("flow")
    peer = make_peer(listen=False)
    body = f"api {{ processes [ flow ]; }} passive; listen {peer.port};"
    daemon = start(helper.configuration() + neighbor(peer, body))
    flow = Flow(helper)
    dial(peer, daemon)
    peer.established()
    flow.step()
    for count in range(2, 4):
        killed = flow.step(daemon, ["listener"])
        flow.check(peer)
        assert peer.session.ended is None
        daemon.restarted("listener", killed["listener"])
        peer.session.send(Notification.cease(4).message())
        wait_for(lambda: peer.session.ended, 5, "the session to end")
        dial(peer, daemon)
        peer.established(count)
        peer.has({route(number) for number in flow.expected})
    flow.step()
    flow.check(peer)


def dial(peer: Peer, daemon: Daemon) -> None:
    """Connect as soon as somebody listens."""

    def attempt() -> bool:
        try:
            peer.dial("127.0.0.1", peer.port)
        except OSError:
            return False
        return True

    wait_for(attempt, 10, lambda: f"the listener; {daemon.tail()}")


def test_everything_at_once_in_any_order(bed: tuple[Daemon, list[Peer], Flow]) -> None:
    daemon, peers, flow = bed
    rng = random.Random(4711)
    for _ in range(3):
        victims = rng.sample(["ribd", "broker", "control"], rng.randint(1, 3))
        for victim, pid in flow.step(daemon, victims, rng.uniform(0, 0.005)).items():
            daemon.restarted(victim, pid)
    flow.step()
    for peer in peers:
        flow.check(peer)
        assert len(peer.sessions) == 1
        assert peer.session.ended is None


def test_when_bgpbus_itself_is_killed_nobody_is_left_behind(
    bed: tuple[Daemon, list[Peer], Flow], directory: Path
) -> None:
    daemon, peers, _ = bed
    assert daemon.process is not None
    daemon.process.signal(signal.SIGKILL)
    wait_for(lambda: not processes_with(str(directory)), 8, lambda: f"{processes_with(str(directory))} to end")
    assert all(peer.session.ended is not None for peer in peers)


def test_what_was_acknowledged_survives_the_death_of_bgpbus_itself(
    bed: tuple[Daemon, list[Peer], Flow], directory: Path
) -> None:
    daemon, peers, flow = bed
    flow.step()
    assert daemon.process is not None
    daemon.process.signal(signal.SIGKILL)
    wait_for(lambda: not processes_with(str(directory)), 8, lambda: f"{processes_with(str(directory))} to end")
    daemon.start()
    for peer in peers:
        peer.established(2)
        flow.check(peer)
        assert not peer.session.withdrawn
    flow.helper.heard()  # perhaps that its former life ended
    flow.step()
    for peer in peers:
        flow.check(peer)

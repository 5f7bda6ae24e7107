"""Graceful restart (RFC 4724): bgpbus restarts, BIRD keeps its routes, and a BIRD behind it hears nothing of that."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.interop.conftest import require
from tests.interop.lab import Place
from tests.routers.bird import Bird, ConfiguredBird
from tests.routers.process import PATIENCE, free_port, wait_for
from tests.system.bed import Daemon, Helper, announce, prefix, processes_with, withdraw

ROUTES = 10_000
BGPBUS, RECEIVER, BEHIND = "127.0.0.1", "127.0.0.2", "127.0.0.3"
TIMERS = "error wait time 1,1; connect delay time 1; connect retry time 1; multihop; strict bind off;"


class Bed:
    """bgpbus, a BIRD that keeps its routes, and one behind that."""

    def __init__(self, directory: Path) -> None:
        ports = {address: free_port() for address in (BGPBUS, RECEIVER, BEHIND)}
        self.helper = Helper(directory, "feed")
        self.directory = directory
        self.text = self.helper.configuration() + (
            f"neighbor {RECEIVER} {{ router-id 10.0.0.1; local-address {BGPBUS}; local-as 65001; peer-as 65002;"
            f" connect {ports[RECEIVER]}; family {{ ipv4 unicast; }} capability {{ graceful-restart 60; }}"
            " api { processes [ feed ]; } static { route 10.255.0.0/16 next-hop 192.0.2.1; } }\n"
        )
        self.receiver = ConfiguredBird(
            directory / "bird",
            "protocol bgp peer { debug { states, events };"
            f" local {RECEIVER} port {ports[RECEIVER]} as 65002; neighbor {BGPBUS} as 65001; passive; {TIMERS}"
            " graceful restart on; ipv4 { import all; export none; gateway recursive; next hop keep; }; }\n"
            f"protocol bgp behind {{ local {RECEIVER} as 65002; neighbor {BEHIND} port {ports[BEHIND]} as 65003;"
            f" {TIMERS} ipv4 {{ import none; export all; next hop address 192.0.2.254; }}; }}\n",
        )
        self.behind = ConfiguredBird(
            directory / "behind",
            f"protocol bgp peer {{ local {BEHIND} port {ports[BEHIND]} as 65003; neighbor {RECEIVER} as 65002;"
            f" passive; {TIMERS} debug {{ routes }};"
            " ipv4 { import all; export none; gateway recursive; next hop keep; }; }\n",
        )
        self.daemon = Daemon(directory, self.text)

    def start(self) -> Bed:
        """Start all, and announce the routes."""
        self.behind.start()
        self.receiver.start()
        self.daemon.start()
        self.announce(range(ROUTES))
        self.behind.has(ROUTES + 1)
        # The End-of-RIB of the first session came, and with it the R bit's meaning is over.
        assert self.withdrawals() == 0
        return self

    def announce(self, numbers: range) -> None:
        """Have the helper announce routes, and wait until that is acknowledged."""
        self.helper.say("".join(map(announce, numbers)))
        assert self.helper.answers(len(numbers)) == ["done"] * len(numbers)

    def kill_everything(self) -> None:
        """Kill -9 bgpbus, all of its daemons and the helper; the routers go on.

        They are stopped first, or a peerd that outlives supervisord for a moment says goodbye.
        """
        while victims := [
            pid
            for pid in processes_with(str(self.directory))
            if pid not in (self.receiver.process.pid, self.behind.process.pid)  # type: ignore[union-attr]
        ]:
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in victims:
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
            time.sleep(0.05)
        self.helper.heard()  # a helper that was told of the end before its own has written that down
        wait_for(
            lambda: "Neighbor graceful restart detected" in self.receiver.log(), PATIENCE, "BIRD to keep the routes"
        )

    def come_back(self) -> None:
        """Start bgpbus again and wait for its session."""
        sessions = self.receiver.log().count("BGP session established")
        self.daemon = Daemon(self.directory, self.text).start()
        self.established(sessions + 1)

    def established(self, times: int) -> None:
        """Wait until the session has come up so often."""
        wait_for(
            lambda: self.receiver.log().count("BGP session established") >= times,
            PATIENCE,
            lambda: f"session {times} with BIRD\n{self.daemon.tail()}",
        )

    def finished(self) -> None:
        """Wait until BIRD has got End-of-RIB after a restart, and has swept."""
        wait_for(
            lambda: "Neighbor graceful restart done" in self.receiver.log(),
            40,
            lambda: self.receiver.log()[-2000:],
        )

    def withdrawals(self) -> int:
        """Return how many withdrawals the BIRD behind has ever received; its session never ended."""
        told = self.behind.ask("show", "protocols", "all", "peer")
        assert "Established" in told
        assert self.behind.log().count("removed") == int(re.findall(r"Import withdraws:\s+(\d+)", told)[0])
        return int(re.findall(r"Import withdraws:\s+(\d+)", told)[0])

    def stop(self) -> None:
        """End everything."""
        self.daemon.clean_up()
        for router in (self.receiver, self.behind):
            if router.process is not None:
                router.process.stop()
        self.helper.close()


@pytest.fixture
def bed(place: Place) -> Iterator[Bed]:
    """Start bgpbus and two BIRDs in a row."""
    require(Bird)
    made = Bed(place())
    try:
        yield made.start()
    finally:
        made.stop()


def test_a_peerd_that_is_killed_withdraws_nothing_behind_the_peer(bed: Bed) -> None:
    sessions = bed.receiver.log().count("BGP session established")
    bed.daemon.kill(f"peerd-{RECEIVER}")
    bed.established(sessions + 1)
    bed.finished()
    assert bed.withdrawals() == 0
    bed.helper.say(withdraw(0))
    bed.behind.has(ROUTES)
    assert bed.withdrawals() == 1


def test_all_of_bgpbus_that_is_killed_withdraws_nothing_behind_the_peer(bed: Bed) -> None:
    bed.kill_everything()
    bed.come_back()
    bed.announce(range(10))  # the helper has begun anew
    bed.finished()
    assert bed.withdrawals() == 0
    assert bed.behind.count() == ROUTES + 1


def test_after_the_loss_of_everything_helpers_have_time_to_announce_again_before_the_peer_sweeps(bed: Bed) -> None:
    bed.kill_everything()
    shutil.rmtree(bed.daemon.run.path)  # the host was started anew: the journal was in memory
    bed.come_back()
    time.sleep(1.5)  # a helper that takes its time
    half = ROUTES // 2
    bed.announce(range(1, half))
    bed.announce(range(half, ROUTES))
    assert bed.withdrawals() == 0
    bed.finished()
    bed.behind.has(ROUTES)
    assert bed.withdrawals() == 1
    assert prefix(0) not in bed.behind.ask("show", "route")

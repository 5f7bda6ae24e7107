"""A route under two watchdogs: the one announced last gives it its form, and neither withdraws the other's."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, neighbor, prefix, route
from tests.system.peer import Peer

ROUTE = route(1)
LINES = ("med 10 watchdog cat withdraw", "med 20 watchdog dog withdraw")


class Bed:
    """A daemon with a route under two watchdogs, a helper that speaks for both, and the peer."""

    def __init__(self, start: Callable[..., Daemon], helper: Helper, peer: Peer) -> None:
        self.helper, self.peer = helper, peer
        self.daemon = start(self._text(*LINES))
        self.peer.established()
        self.peer.quiet()

    def _text(self, *lines: str) -> str:
        static = " ".join(f"route {prefix(1)} next-hop 192.0.2.1 {line};" for line in lines)
        body = f"api {{ processes [ {self.helper.name} ]; }} static {{ {static} }}"
        return self.helper.configuration() + neighbor(self.peer, body)

    def say(self, *commands: str) -> None:
        """Announce (+) and withdraw (-) watchdogs."""
        for command in commands:
            self.helper.say(f"{'announce' if command[0] == '+' else 'withdraw'} watchdog {command[1:]}\n")
            assert self.helper.answers(1) == ["done"]

    def reload(self, *lines: str) -> None:
        """Give the route other lines."""
        self.daemon.file.write_text(self._text(*lines))
        self.daemon.ask("reload")

    def reload_held_up(self, *lines: str) -> Callable[[], None]:
        """Give the route other lines while ribd stands still; return what lets it go on."""
        pid = self.daemon.kill("ribd", signal.SIGSTOP)
        self.daemon.file.write_text(self._text(*lines))
        self.helper.say("reload\n")
        wait_for(self.daemon.run.pending.exists, PATIENCE, "the changed file to be read")
        return lambda: os.kill(pid, signal.SIGCONT)

    def stands(self, med: int | None) -> None:
        """Wait until the peer has the route with this MED, or has it no more."""
        wanted = None if med is None else b"\x80\x04\x04" + med.to_bytes(4, "big")
        table = self.peer.session.table

        def is_so() -> bool:
            octets = table.get(ROUTE)
            return octets is None if wanted is None else octets is not None and wanted in octets

        self.peer.wait(is_so, PATIENCE, f"MED {med}")

    def nothing_comes(self, do: Callable[[], None]) -> None:
        """See that the peer hears of nothing that is done."""
        self.peer.quiet()
        moment = time.monotonic()
        do()
        self.peer.quiet()
        assert self.peer.session.updates_since(moment) == []


@pytest.fixture
def bed(start: Callable[..., Daemon], make_helper: Callable[[str], Helper], make_peer: Callable[..., Peer]) -> Bed:
    return Bed(start, make_helper("p"), make_peer())


def test_two_checks_of_one_route_do_not_disturb_each_other(bed: Bed) -> None:
    bed.say("+cat")
    bed.stands(10)
    bed.nothing_comes(lambda: bed.say("-dog", "+cat", "-dog"))
    bed.say("+dog")
    bed.stands(20)
    bed.nothing_comes(lambda: bed.say("+cat", "+dog", "+cat", "+dog"))
    bed.nothing_comes(lambda: bed.say("-cat"))
    bed.stands(20)
    bed.say("+cat")
    bed.stands(10)
    bed.say("-cat")
    bed.stands(None)
    bed.nothing_comes(lambda: bed.say("-cat", "-dog"))
    bed.say("+dog")
    bed.stands(20)
    bed.daemon.restarted("control", bed.daemon.kill("control"))
    bed.nothing_comes(lambda: bed.say("-cat"))
    bed.say("-dog")
    bed.stands(None)


def test_a_reload_changes_the_form_by_which_the_route_stands_and_brings_nothing_back(bed: Bed) -> None:
    bed.say("+cat", "+dog")
    bed.stands(20)
    bed.nothing_comes(lambda: bed.reload("med 11 watchdog cat", "med 20 watchdog dog withdraw"))
    bed.reload("med 11 watchdog cat", "med 21 watchdog dog")
    bed.stands(21)
    bed.say("-dog")
    bed.stands(None)
    bed.nothing_comes(lambda: bed.reload("med 12 watchdog cat", "med 22 watchdog dog"))
    bed.say("+cat")
    bed.stands(12)
    bed.reload("med 22 watchdog dog")
    bed.stands(22)
    bed.say("-dog")
    bed.stands(None)
    assert len(bed.peer.sessions) == 1


@pytest.mark.parametrize(("lines", "med"), [(("med 11 watchdog cat withdraw",), 11), (("med 12 watchdog owl",), 12)])
def test_what_is_announced_while_a_reload_is_on_its_way_is_in_the_form_of_the_new_configuration(
    bed: Bed, lines: tuple[str, ...], med: int
) -> None:
    go_on = bed.reload_held_up(*lines)
    cat = subprocess.Popen(bed.daemon.command("announce", "watchdog", "cat"), env=bed.daemon.environment)
    time.sleep(1)  # for it to be on its way, too
    go_on()
    assert cat.wait(PATIENCE) == 0
    assert bed.helper.answers(2)[-1] == "done"
    bed.peer.quiet()
    bed.stands(med)

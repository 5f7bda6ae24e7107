"""`adj-rib-out false`: nothing is kept that was sent, and nothing is lost that was not, whichever process dies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, route, withdraw
from tests.system.peer import FAMILIES, Peer, Session

OFF = "adj-rib-out false; api { processes [ p ]; }"
STATIC = "static { route 10.0.0.1/32 next-hop 192.0.2.1; route 10.0.0.2/32 next-hop 192.0.2.1; }"


class Bed:
    """A daemon with one session and a helper."""

    def __init__(self, daemon: Daemon, peer: Peer, helper: Helper) -> None:
        self.daemon, self.peer, self.helper = daemon, peer, helper

    def text(self, body: str) -> str:
        """Return the configuration with this in the neighbor."""
        return self.helper.configuration() + neighbor(self.peer, body)

    def say(self, *commands: str) -> None:
        """Have the helper say something, and see it acknowledged."""
        self.helper.say("".join(commands))
        assert self.helper.answers(len(commands)) == ["done"] * len(commands)

    def sent(self, command: str, count: int = 1) -> list[bytes]:
        """Return the UPDATEs that a command causes, once so many have come and no more do."""
        moment = time.monotonic()
        self.say(command)
        self.peer.wait(lambda: len(self.peer.session.updates_since(moment)) >= count, PATIENCE, f"{count} UPDATEs")
        self.peer.quiet()
        return self.peer.session.updates_since(moment)

    def forgets(self) -> None:
        """Wait until nothing is kept: ribd hears from the session what was sent."""
        wait_for(lambda: self.daemon.ask("show", "adj-rib", "out") == "", PATIENCE, "everything to be forgotten")

    def comes_back(self, count: int) -> Session:
        """Wait for another session, and for what it begins with."""
        session = self.peer.established(count)
        self.peer.wait(lambda: set(session.ends_of_rib) == set(FAMILIES), PATIENCE, "End-of-RIB")
        self.peer.quiet()
        return session


@pytest.fixture
def bed(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> Iterator[Bed]:
    made = Bed(start("", begin=False), make_peer(), make_helper("p"))
    made.daemon.file.write_text(made.text(OFF + STATIC))
    made.daemon.start()
    made.comes_back(1)
    made.peer.has({route(1), route(2)})
    yield made
    made.peer.stop()


def test_each_word_is_sent_again_and_a_session_that_comes_back_is_sent_the_markers_only(bed: Bed) -> None:
    for command in (announce(7), announce(7), announce(1), withdraw(7), withdraw(7), withdraw(8)):
        assert len(bed.sent(command)) == 1, command
    assert bed.peer.session.announced[route(7)] == 2
    bed.forgets()
    assert bed.sent("flush adj-rib out\n", 0) == bed.sent("clear adj-rib out\n", 0) == []
    bed.say(f"neighbor {bed.peer.address} teardown 4\n")
    assert bed.comes_back(2).table == {}
    assert len(bed.sent(announce(9))) == 1


def test_what_is_announced_while_there_is_no_session_is_sent_by_the_next_one_and_only_by_that(bed: Bed) -> None:
    bed.peer.stop()
    bed.daemon.logs("session down")  # what comes before that may still be sent, to nobody
    bed.say(announce(7), announce(8), withdraw(8))
    ribd = bed.daemon.kill("ribd")
    bed.daemon.restarted("ribd", ribd)
    bed.say(announce(9))
    bed.peer = Peer(bed.peer.address, bed.peer.port).listen()
    assert set(bed.comes_back(1).table) == {route(7), route(9)}
    bed.daemon.kill(f"peerd-{bed.peer.address}")
    assert bed.comes_back(2).table == {}


@pytest.mark.parametrize("program", ["ribd", "control"])
def test_the_death_of_others_brings_nothing_back_and_touches_no_session(bed: Bed, program: str) -> None:
    bed.say(announce(7))
    bed.peer.quiet()
    moment = time.monotonic()
    bed.daemon.restarted(program, bed.daemon.kill(program))
    assert len(bed.sent(announce(7))) == 1
    assert len(bed.peer.session.updates_since(moment)) == 1
    assert len(bed.peer.sessions) == 1
    bed.say(f"neighbor {bed.peer.address} teardown 4\n")
    assert bed.comes_back(2).table == {}


def test_a_reload_sends_what_it_changes_and_turned_on_again_everything_is_kept(bed: Bed) -> None:
    moment = time.monotonic()
    bed.daemon.file.write_text(bed.text(OFF + STATIC.replace("10.0.0.2/32", "10.0.0.3/32")))
    bed.daemon.ask("reload")
    bed.peer.has({route(1), route(3)})
    bed.peer.quiet()
    assert bed.peer.session.announced[route(1)] == 1
    assert len(bed.peer.session.updates_since(moment)) == 2
    bed.daemon.file.write_text(bed.text(OFF.replace("false", "true") + STATIC))
    bed.daemon.ask("reload")
    assert set(bed.comes_back(2).table) == {route(1), route(2)}
    assert bed.sent(announce(1), 0) == []
    bed.say(f"neighbor {bed.peer.address} teardown 4\n")
    assert set(bed.comes_back(3).table) == {route(1), route(2)}


def test_a_flood_over_deaths_of_ribd_reaches_the_session_as_a_whole(bed: Bed) -> None:
    for start in range(100, 6100, 2000):
        bed.helper.say("".join(map(announce, range(start, start + 2000))))
        bed.daemon.restarted("ribd", bed.daemon.kill("ribd"))
    assert bed.helper.answers(6000) == ["done"] * 6000
    bed.peer.has({route(number) for number in (1, 2, *range(100, 6100))})
    assert len(bed.peer.sessions) == 1
    bed.forgets()

"""Neighbors that share an address: one that comes or goes is no news to another, whose name and routes stay."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, announce, kill_all, neighbor, processes_with, route
from tests.system.peer import Peer, Route, Session

API = "api { processes [ p ]; neighbor-changes; } static { route 10.0.0.1/32 next-hop 192.0.2.1; } "
FIRST, SECOND, THIRD = "127.0.0.1", "127.0.0.21", "127.0.0.22"  # our ends of the sessions


class Bed:
    """A daemon, a helper, and one peer whose address several neighbors have, told apart by our own address."""

    def __init__(self, daemon: Daemon, peer: Peer, helper: Helper) -> None:
        self.daemon, self.peer, self.helper = daemon, peer, helper
        self.moment = 0.0

    def text(self, *locals_: str, body: str = "") -> str:
        """Return a configuration with these neighbors."""
        neighbors = "".join(neighbor(self.peer, API + body, local=local) for local in locals_)
        return self.helper.configuration("encoder text;") + neighbors

    def reload(self, *locals_: str, body: str = "") -> list[str]:
        """Have these neighbors, from now on; return what `diff` says beforehand of neighbors."""
        self.daemon.file.write_text(self.text(*locals_, body=body))
        told = [line for line in self.daemon.ask("diff", "--summary").splitlines() if " neighbor " in line]
        self.peer.quiet()
        self.moment = time.monotonic()
        self.daemon.ask("reload")
        return told

    def established(self, local: str, count: int = 1) -> Session:
        """Wait for the `count`-th session with our address to be established."""

        def found() -> Session | None:
            sessions = [each for each in self.peer.sessions if each.established is not None and each.remote == local]
            return sessions[count - 1] if len(sessions) >= count else None

        return self.peer.wait(found, PATIENCE, f"session {count} of {local}")

    def has(self, session: Session, *numbers: int) -> None:
        """Wait until a session's table holds exactly these routes."""
        wanted: set[Route] = set(map(route, numbers))
        self.peer.wait(lambda: set(session.table) == wanted, PATIENCE, lambda: f"{wanted}, not {set(session.table)}")

    def untouched(self, session: Session) -> None:
        """See that a session has heard nothing of the last reload, and that there is no other one in its place."""
        self.peer.quiet()
        assert session.ended is None
        assert session.updates_since(self.moment) == []
        assert len([each for each in self.peer.sessions if each.remote == session.remote]) == 1

    def say(self, text: str) -> None:
        """Have the helper give a command that is carried out."""
        self.helper.heard()
        self.helper.say(text)
        wait_for(lambda: "done" in self.helper.heard(), PATIENCE, f"the answer to {text}")


@pytest.fixture
def bed(
    start: Callable[..., Daemon],
    make_peer: Callable[..., Peer],
    make_helper: Callable[[str], Helper],
    directory: Path,
    request: pytest.FixtureRequest,
) -> Bed:
    durability = getattr(request, "param", "memory")
    daemon = start("", False, exabgp_daemon_state=str(directory / "disk"), exabgp_daemon_durability=durability)
    made = Bed(daemon, make_peer(), make_helper("p"))
    made.daemon.file.write_text(made.text(FIRST))
    made.daemon.start()
    session = made.established(FIRST)
    made.has(session, 1)
    made.say(announce(7))
    made.has(session, 1, 7)
    return made


def test_a_second_neighbor_of_an_address_comes_and_goes_without_the_first_hearing_of_it(bed: Bed) -> None:
    first, address = bed.established(FIRST), bed.peer.address
    pids = bed.daemon.programs()[f"peerd-{address}"], bed.helper.pid()
    (told,) = bed.reload(SECOND, FIRST)
    assert told.startswith(f"+ neighbor {address}~")
    second = bed.established(SECOND)
    bed.has(second, 1)
    bed.untouched(first)
    assert (bed.daemon.programs()[f"peerd-{address}"], bed.helper.pid()) == pids
    bed.say(f"neighbor {address} {announce(8)}")
    bed.say(f"neighbor {address} local-ip {SECOND} {announce(9)}")
    bed.has(first, 1, 7, 8)
    bed.has(second, 1, 8, 9)
    assert bed.reload(FIRST) == [told.replace("+", "-")]
    bed.peer.wait(lambda: second.ended, PATIENCE, "the second session to end")
    bed.untouched(first)
    assert first.announced == {route(number): 1 for number in (1, 7, 8)}
    bed.reload(FIRST, SECOND)
    bed.has(bed.established(SECOND, 2), 1)
    bed.untouched(first)


def test_the_second_neighbor_of_an_address_keeps_its_session_when_the_first_goes_and_comes_back(bed: Bed) -> None:
    first, address = bed.established(FIRST), bed.peer.address
    bed.reload(FIRST, SECOND)
    second = bed.established(SECOND)
    bed.say(f"neighbor {address} local-ip {SECOND} {announce(9)}")
    bed.has(second, 1, 9)
    assert bed.reload(SECOND) == [f"- neighbor {address}"]
    bed.peer.wait(lambda: first.ended, PATIENCE, "the first session to end")
    bed.untouched(second)
    assert bed.daemon.ask("show", "neighbor", "summary").count("established") == 1
    (told,) = bed.reload(FIRST, SECOND)
    assert told.startswith(f"+ neighbor {address}~")
    bed.has(bed.established(FIRST, 2), 1)
    bed.untouched(second)
    assert set(second.table) == {route(1), route(9)}


def test_one_that_is_left_alone_keeps_the_routes_of_helpers_when_it_is_changed(bed: Bed) -> None:
    bed.reload(FIRST, SECOND)
    second = bed.established(SECOND)
    bed.say(f"neighbor {bed.peer.address} local-ip {SECOND} {announce(9)}")
    bed.has(second, 1, 9)
    bed.reload(SECOND)
    (told,) = bed.reload(THIRD)
    assert told.startswith("~")
    assert "the session begins anew" in told
    bed.has(bed.established(THIRD), 1, 9)
    bed.peer.wait(lambda: second.ended, PATIENCE, "the end of the former session to be read")


@pytest.mark.parametrize("bed", ["memory", "disk"], indirect=True)
def test_routes_that_outlive_everything_come_back_to_whom_they_were_announced(bed: Bed) -> None:
    """In memory they outlive a kill, on disk a clean end, too."""
    bed.reload(FIRST, SECOND)
    bed.say(f"neighbor {bed.peer.address} local-ip {SECOND} {announce(9)}")
    bed.has(bed.established(SECOND), 1, 9)
    if bed.daemon.run.durable:
        assert bed.daemon.stop() == 0
    kill_all(str(bed.daemon.directory))
    wait_for(lambda: not processes_with(str(bed.daemon.directory)), PATIENCE, "everything to end")
    bed.daemon.start()
    bed.has(bed.established(FIRST, 2), 1, 7)
    bed.has(bed.established(SECOND, 2), 1, 9)


def test_one_that_is_shut_stays_so_and_no_other_after_a_clean_end(bed: Bed) -> None:
    bed.reload(FIRST, SECOND)
    bed.established(SECOND)
    bed.daemon.ask("peer", bed.peer.address, "local-ip", FIRST, "shutdown", "keep")
    bed.peer.wait(lambda: bed.established(FIRST).ended, PATIENCE, "the first session to end")
    assert bed.daemon.stop() == 0
    bed.daemon.start()
    bed.established(SECOND, 2)
    bed.peer.quiet(1.5)
    assert [each.remote for each in bed.peer.sessions] == [FIRST, SECOND, SECOND]
    bed.daemon.ask("peer", bed.peer.address, "enable")
    bed.established(FIRST, 2)


def test_one_that_a_command_deletes_and_a_reload_brings_back_is_no_news_to_the_other(bed: Bed) -> None:
    bed.reload(FIRST, SECOND)
    second = bed.established(SECOND)
    bed.has(second, 1)
    bed.peer.quiet()  # its End-of-RIBs come last
    bed.moment = time.monotonic()
    bed.daemon.ask("peer", "delete", bed.peer.address, "local-ip", FIRST)
    bed.peer.wait(lambda: bed.established(FIRST).ended, PATIENCE, "the first session to end")
    bed.untouched(second)
    bed.reload(FIRST, SECOND)
    bed.has(bed.established(FIRST, 2), 1)
    bed.untouched(second)

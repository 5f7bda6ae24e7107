"""Neighbors that commands create, delete, shut and open: no other session notices, and what is kept comes back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from bgp.notification import ADMINISTRATIVE_SHUTDOWN, CEASE, CONNECTION_REJECTED
from tests.routers.process import PATIENCE, free_port, listening, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, route
from tests.system.peer import Peer

PEER_DECONFIGURED = 3
STATIC = "api { processes [ p ]; } static { route 10.0.0.1/32 next-hop 192.0.2.1; }"


class Bed:
    """A daemon with one configured neighbor and a helper, and another peer that nobody knows yet."""

    def __init__(self, daemon: Daemon, helper: Helper, first: Peer, second: Peer, port: int) -> None:
        self.daemon, self.helper, self.first, self.second, self.port = daemon, helper, first, second, port
        self.moment = 0.0

    def create(self, extra: str = "") -> str:
        """Return the command that creates the second neighbor."""
        return (
            f"peer create {self.second.address} local-address 127.0.0.1 local-as 65001"
            f" peer-as {self.second.settings.local_as} router-id 10.0.0.1 connect {self.second.port}"
            f" family-allowed ipv4-unicast/ipv6-unicast {extra}"
        )

    def say(self, line: str) -> str:
        """Have the helper give a command; return its answer."""
        self.helper.say(f"{line}\n")
        return self.helper.answers(1)[0]

    def refused(self, *words: str, code: int) -> str:
        """Give a command that must fail with an exit code; return what it printed."""
        with pytest.raises(subprocess.CalledProcessError) as failure:
            self.daemon.ask(*words)
        assert failure.value.returncode == code
        return str(failure.value.stderr)

    def first_is_untouched(self) -> None:
        """See that the configured session has heard nothing since `moment`."""
        self.first.quiet()
        assert len(self.first.sessions) == 1
        assert self.first.session.ended is None
        assert self.first.session.updates_since(self.moment) == []


@pytest.fixture
def bed(start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]) -> Bed:
    helper, first, second, port = make_helper("p"), make_peer(), make_peer(), free_port()
    text = helper.configuration() + neighbor(first, STATIC)
    daemon = start(text, exabgp_tcp_bind="127.0.0.1", exabgp_tcp_port=str(port))
    first.established()
    first.has({route(1)})
    first.quiet()
    wait_for(lambda: listening("127.0.0.1", port), PATIENCE, "the listener")
    made = Bed(daemon, helper, first, second, port)
    made.moment = time.monotonic()
    return made


def test_a_helper_creates_a_neighbor_speaks_for_it_and_deletes_it(bed: Bed) -> None:
    assert bed.say(bed.create()) == "done"
    session = bed.second.established()
    assert bed.say(f"neighbor {bed.second.address} {announce(2).strip()}") == "done"
    bed.second.has({route(2)})
    bed.first_is_untouched()
    assert bed.say(f"peer delete {bed.second.address}") == "done"
    bed.second.ended()
    assert session.notification is not None
    assert (session.notification.code, session.notification.subcode) == (CEASE, PEER_DECONFIGURED)
    assert f"peerd-{bed.second.address}" not in bed.daemon.programs()
    assert bed.say(f"neighbor {bed.second.address} {announce(3).strip()}") == "error"
    assert bed.say(bed.create()) == "done"
    bed.second.established(2)
    bed.second.quiet()
    assert bed.second.session.table == {}
    bed.first_is_untouched()


def test_what_is_kept_outlives_a_reload_and_a_restart_and_what_is_not_does_not(bed: Bed) -> None:
    bed.daemon.ask(*bed.create().split())
    bed.second.established()
    bed.daemon.ask("reload")
    bed.second.ended()
    assert bed.second.session.notification is not None
    bed.daemon.ask(*bed.create("api p keep").split())
    bed.second.established(2)
    bed.daemon.ask("reload")
    bed.second.quiet()
    assert len(bed.second.sessions) == 2
    assert bed.second.session.ended is None
    bed.first_is_untouched()
    assert bed.daemon.stop() == 0
    bed.daemon.start()
    bed.first.established(2)
    bed.second.established(3)
    bed.say(announce(5).strip())
    bed.second.has({route(5)})
    bed.daemon.ask("peer", "delete", bed.second.address)
    bed.second.ended()
    assert bed.daemon.stop() == 0
    bed.daemon.start()
    bed.first.established(3)
    assert bed.second.address not in bed.daemon.ask("show", "neighbor", "summary")


def test_a_neighbor_that_is_shut_stays_closed_until_it_is_enabled(bed: Bed) -> None:
    bed.daemon.ask(*bed.create().split())
    session = bed.second.established()
    assert bed.say(f"peer {bed.second.address} announce route 10.0.0.9/32 next-hop 192.0.2.1") == "error"
    bed.daemon.ask("peer", bed.second.address, "shutdown", "back at noon 🎉")
    bed.second.ended()
    assert session.notification is not None
    assert (session.notification.code, session.notification.subcode) == (CEASE, ADMINISTRATIVE_SHUTDOWN)
    assert "back at noon 🎉" in str(session.notification)
    refused = bed.second.dial("127.0.0.1", bed.port)
    bed.second.wait(lambda: refused.notification, PATIENCE, "the connection to be refused")
    assert refused.notification is not None
    assert (refused.notification.code, refused.notification.subcode) == (CEASE, CONNECTION_REJECTED)
    (line,) = (
        each for each in bed.daemon.ask("show", "neighbor", "summary").splitlines() if bed.second.address in each
    )
    assert "shut" in line
    bed.daemon.ask("peer", bed.second.address, "announce", "route", "10.0.0.4/32", "next-hop", "192.0.2.1")
    bed.second.quiet(1.5)
    assert len(bed.second.sessions) == 2
    peerd = f"peerd-{bed.second.address}"
    bed.daemon.restarted(peerd, bed.daemon.kill(peerd))
    bed.second.quiet(1.5)
    assert len(bed.second.sessions) == 2
    bed.daemon.ask("peer", bed.second.address, "enable")
    bed.second.established(2)
    bed.second.has({route(4)})
    bed.first_is_untouched()


def test_a_configured_neighbor_that_is_shut_with_keep_is_shut_after_a_reload_and_a_restart(bed: Bed) -> None:
    bed.say(f"peer {bed.first.address} shutdown keep")
    bed.first.ended()
    bed.daemon.ask("reload")
    assert bed.daemon.stop() == 0
    bed.daemon.start()
    bed.daemon.wait_for_programs(f"peerd-{bed.first.address}")
    bed.helper.answers(0)
    bed.helper.say("show neighbor summary\n")
    assert "shut" in bed.helper.answers(3)[1]
    bed.first.quiet(1.5)
    assert len(bed.first.sessions) == 1
    assert bed.say(f"peer {bed.first.address} enable") == "done"
    bed.first.established(2)
    bed.first.has({route(1)})


def test_a_configured_neighbor_that_is_deleted_comes_back_with_a_reload(bed: Bed) -> None:
    bed.daemon.ask("delete", "neighbor", bed.first.address)
    bed.first.ended()
    bed.daemon.ask("reload")
    bed.first.established(2)
    bed.first.has({route(1)})


def test_what_cannot_be_created_is_told_with_the_reason_and_changes_nothing(bed: Bed) -> None:
    good = bed.create()
    for line, reason in (
        (good.replace(bed.second.address, bed.first.address), "exists already"),
        (f"{good} api nobody", "'nobody'"),
        (f"{good} hold-time 2", "hold-time"),
        (f"{good} hold-tmie 30", "did you mean 'hold-time'"),
        (f"{good} family-allowed ipv4-unicorn", "unicorn"),
        (good.replace("local-as 65001", ""), "no local-as"),
        (good.replace(bed.second.address, "somewhere"), "somewhere"),
        ("peer delete 192.0.2.99", "no neighbor matches"),
        ("peer 192.0.2.99 shutdown", "no neighbor matches"),
        ("peer 192.0.2.99 enable", "no neighbor matches"),
        (r'neighbor 192.0.2.99 teardown "\ud800"', r"\ud800 is half of a character"),
    ):
        assert reason in bed.refused(*line.split(), code=2 if "half of a character" in reason else 1)
        assert bed.say(line) == "error"
        bed.daemon.logs(reason)
    bed.first_is_untouched()
    assert bed.second.sessions == []


def test_a_helper_makes_all_neighbors_where_the_configuration_has_none(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    helper, peer = make_helper("p"), make_peer()
    daemon = start(helper.configuration("encoder text; neighbor-changes;"))
    pid = wait_for(helper.pid, PATIENCE, "the helper to run")
    bed = Bed(daemon, helper, peer, peer, 0)
    helper.say(f"{bed.create()}\n")
    peer.established()
    # The answer, and two events, each with an empty line behind it.
    assert set(helper.answers(5)) >= {"done", f"neighbor {peer.address} up"}
    daemon.file.write_text(helper.configuration("encoder text; neighbor-changes;") + neighbor(peer, STATIC))
    daemon.ask("reload", seconds=60)
    peer.has({route(1)})
    assert helper.pid() == pid

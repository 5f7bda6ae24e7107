"""A reload touches what has changed, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial

import pytest

from bgp.message import MessageType, build
from bgp.notification import CEASE
from bgp.settings import SessionSettings
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, route
from tests.system.peer import FAMILIES, Peer

PEER_DECONFIGURED = 3
GRACEFUL = SessionSettings(
    b"\x0a\x00\x00\x02", 65002, None, families=FAMILIES, route_refresh=True, graceful_restart=60, restarting=False
)
ATTRIBUTES = bytes.fromhex("40010100 400206 0201 0000fdea 400304 c0000201")  # IGP, AS 65002, next hop 192.0.2.1
UPDATE = build(MessageType.UPDATE, bytes(2) + len(ATTRIBUTES).to_bytes(2, "big") + ATTRIBUTES + bytes([24, 10, 9, 1]))
ROUTES = "static {{ route 10.0.0.1/32 next-hop 192.0.2.1; route 10.0.0.2/32 next-hop 192.0.2.1{}; }}"


class Bed:
    """A daemon with two sessions and a helper, and what was on the wire before."""

    def __init__(self, daemon: Daemon, peers: list[Peer], helper: Helper) -> None:
        self.daemon, self.peers, self.helper = daemon, peers, helper
        self.moment = 0.0

    def text(self, first: str = "", second: str = "", helper: str = "encoder text;") -> str:
        """Return a configuration with these additions."""
        api = "api { processes [ p ]; } "
        bodies = [first or ROUTES.format(""), second or ROUTES.format("")]
        return self.helper.configuration(helper) + "".join(
            neighbor(peer, api + body) for peer, body in zip(self.peers, bodies, strict=True)
        )

    def reload(self, text: str) -> None:
        """Put another configuration in force, and wait until it is."""
        self.daemon.file.write_text(text)
        for peer in self.peers:
            peer.quiet()
        self.moment = time.monotonic()
        self.daemon.ask("reload")
        for peer in self.peers:
            peer.quiet()

    def untouched(self, peer: Peer) -> None:
        """See that a peer has heard nothing of it."""
        assert len(peer.sessions) == 1
        assert peer.session.ended is None
        assert peer.session.updates_since(self.moment) == []


@pytest.fixture
def bed(start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]) -> Bed:
    helper = make_helper("p")
    made = Bed(start("", begin=False), [make_peer(), make_peer()], helper)
    made.daemon.file.write_text(made.text())
    made.daemon.start()
    for peer in made.peers:
        peer.established()
    helper.say(announce(7))
    assert helper.answers(1) == ["done"]
    for peer in made.peers:
        peer.has({route(1), route(2), route(7)})
        peer.quiet()
    made.moment = time.monotonic()
    return made


def test_the_same_configuration_again_is_no_news_to_anybody(bed: Bed) -> None:
    pid = bed.helper.pid()
    bed.reload(bed.text())
    for peer in bed.peers:
        bed.untouched(peer)
    assert bed.helper.pid() == pid


def test_a_changed_route_is_one_update_for_the_neighbor_that_has_it(bed: Bed) -> None:
    first, second = bed.peers
    bed.reload(bed.text(first=ROUTES.format(" med 5")))
    first.wait(lambda: first.session.announced[route(2)] == 2, PATIENCE, "the changed route")
    first.quiet()
    assert len(first.session.updates_since(bed.moment)) == 1
    assert first.session.announced[route(2)] == 2
    assert first.session.announced[route(1)] == 1
    assert not first.session.withdrawn
    assert first.session.ended is None
    bed.untouched(second)


def test_routes_that_are_gone_are_withdrawn_and_those_of_helpers_stay(bed: Bed) -> None:
    first, second = bed.peers
    bed.reload(bed.text(first="static { route 10.0.0.1/32 next-hop 192.0.2.1; route 10.0.0.3/32 next-hop 192.0.2.1; }"))
    first.has({route(1), route(3), route(7)})
    assert first.session.withdrawn == {route(2): 1}
    assert first.session.announced == {route(1): 1, route(2): 1, route(3): 1, route(7): 1}
    bed.untouched(second)


def test_a_changed_session_is_begun_anew_and_has_all_its_routes(bed: Bed) -> None:
    first, second = bed.peers
    bed.reload(bed.text(first="hold-time 30; static { route 10.0.0.1/32 next-hop 192.0.2.1; }"))
    session = first.established(2)
    first.wait(lambda: first.sessions[0].ended, PATIENCE, "the end of the first session to be read")
    former = first.sessions[0].notification
    assert former is not None
    assert (former.code, former.subcode) == (CEASE, PEER_DECONFIGURED)
    assert first.sessions[0].updates_since(bed.moment) == []
    assert session.negotiated is not None
    assert session.negotiated.hold_time == 30
    first.has({route(1), route(7)})
    assert set(session.announced.values()) == {1}
    assert not session.withdrawn
    bed.untouched(second)


def test_a_helper_hears_of_a_changed_session_as_it_did_before(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], make_helper: Callable[[str], Helper]
) -> None:
    helper, peer = make_helper("p"), make_peer(settings=GRACEFUL)
    api = "api { processes [ p ]; neighbor-changes; receive { parsed; update; } } capability { graceful-restart 60; } "
    daemon = start(helper.configuration() + neighbor(peer, api))
    peer.established()
    helper.say(announce(7))
    before: list[str] = []

    def told() -> bool:
        before.extend(helper.heard())
        return {"done", f"neighbor {peer.address} up"} <= set(before)

    wait_for(told, PATIENCE, lambda: str(before))
    wait_for(lambda: peer.session.ends_of_rib, PATIENCE, "the End-of-RIB")
    began, logged = time.monotonic(), len(daemon.log.read_text())
    daemon.file.write_text(helper.configuration() + neighbor(peer, api + "hold-time 30;"))
    daemon.ask("reload")
    session = peer.established(2)
    session.send(UPDATE)
    lines: list[str] = []

    def heard() -> bool:
        lines.extend(line.removeprefix(f"neighbor {peer.address} ") for line in helper.heard() if line)
        return any("announced 10.9.1.0/24" in line for line in lines)

    wait_for(heard, PATIENCE, lambda: str(lines))
    assert [line.partition(" ")[0] for line in lines] == ["down", "connected", "up", *["receive"] * 3]
    wait_for(lambda: session.ends_of_rib, PATIENCE, "the End-of-RIB")
    assert time.monotonic() - began < 30  # half of the time for which the peer keeps our routes
    new = daemon.log.read_text()[logged:]
    assert "begins without its helpers" not in new
    assert "routes do not wait" not in new


def test_a_neighbor_that_is_removed_is_told_and_one_that_is_added_is_called(
    bed: Bed, make_peer: Callable[..., Peer]
) -> None:
    first, second = bed.peers
    third = make_peer()
    bed.peers[1] = third
    bed.reload(bed.text())
    third.established()
    third.has({route(1), route(2)})
    wait_for(lambda: second.session.ended, PATIENCE, "the removed session to end")
    notification = second.session.notification
    assert notification is not None
    assert (notification.code, notification.subcode) == (CEASE, PEER_DECONFIGURED)
    bed.untouched(first)
    names = set(bed.daemon.programs())
    assert f"peerd-{third.address}" in names
    assert f"peerd-{second.address}" not in names
    bed.peers[1] = second
    bed.reload(bed.text())
    second.established(2)
    second.has({route(1), route(2)})
    bed.untouched(first)


def test_what_is_announced_while_a_neighbor_is_being_removed_is_not_there_when_it_comes_back(bed: Bed) -> None:
    """The bridge is stopped, so it hears last that the neighbor is gone."""
    first, second = bed.peers
    bridge = bed.daemon.kill("helper-p", signal.SIGSTOP)
    bed.daemon.file.write_text(
        bed.text().replace(neighbor(second, "api { processes [ p ]; } " + ROUTES.format("")), "")
    )
    bed.helper.say(announce(8))
    bed.daemon.ask("reload")
    os.kill(bridge, signal.SIGCONT)
    assert bed.helper.answers(1) == ["done"]
    bed.daemon.restarted("ribd", bed.daemon.kill("ribd"))
    first.has({route(1), route(2), route(7), route(8)})
    bed.reload(bed.text())
    second.established(2)
    second.has({route(1), route(2)})


def test_a_changed_helper_is_started_anew_and_what_it_announced_stays(bed: Bed) -> None:
    former = wait_for(bed.helper.pid, PATIENCE, "the helper to run")
    bed.reload(bed.text(helper="encoder json;"))
    bed.helper.restarted(former)
    bed.helper.heard()
    bed.helper.say(announce(7) + announce(8))
    assert bed.helper.answers(2) == ["done", "done"]
    for peer in bed.peers:
        peer.has({route(1), route(2), route(7), route(8)})
        assert set(peer.session.announced.values()) == {1}
        assert len(peer.sessions) == 1
        assert peer.session.ended is None


def test_signals_do_as_those_of_exabgp(bed: Bed) -> None:
    process = bed.daemon.process
    assert process is not None
    first, second = bed.peers
    bed.daemon.file.write_text(bed.text(first=ROUTES.format(" med 5")))
    process.signal(signal.SIGUSR1)
    first.wait(lambda: first.session.announced[route(2)] == 2, PATIENCE, "USR1 to reload")
    former = wait_for(bed.helper.pid, PATIENCE, "the helper to run")
    process.signal(signal.SIGUSR2)
    bed.helper.restarted(former)
    first.quiet()
    bed.untouched(second)
    assert len(first.sessions) == 1
    process.signal(signal.SIGALRM)
    for peer in bed.peers:
        peer.established(2)
        peer.has({route(1), route(2), route(7)})


def test_a_change_that_is_taken_back_at_once_leaves_everything_as_it_was(bed: Bed) -> None:
    former, process = bed.text(), bed.daemon.process
    assert process is not None
    for _ in range(3):
        bed.daemon.file.write_text(bed.text(first=ROUTES.format(" med 5"), second="static { }"))
        process.signal(signal.SIGUSR1)
        bed.daemon.file.write_text(former)
        process.signal(signal.SIGUSR1)
    bed.daemon.ask("reload")
    for peer in bed.peers:
        peer.quiet()
        peer.has({route(1), route(2), route(7)})
        assert len(peer.sessions) == 1
        assert peer.session.ended is None
    assert "nothing would change" in bed.daemon.ask("diff")


def test_what_ribd_took_of_a_change_that_was_taken_back_is_undone(bed: Bed) -> None:
    """ribd stands still while a changed file is read, and is killed; the former file comes back before it does."""
    former = bed.text()
    pid = bed.daemon.kill("ribd", signal.SIGSTOP)
    bed.daemon.file.write_text(bed.text(first="static { route 10.0.0.3/32 next-hop 192.0.2.1; }"))
    bed.helper.say("reload\n")
    wait_for(bed.daemon.run.pending.exists, PATIENCE, "the changed file to be read")
    bed.daemon.file.write_text(former)
    os.kill(pid, signal.SIGKILL)
    bed.daemon.restarted("ribd", pid)
    assert bed.helper.answers(2)[-1] == "done"
    bed.daemon.ask("reload")
    for peer in bed.peers:
        peer.has({route(1), route(2), route(7)})
        assert peer.session.ended is None
    assert "nothing would change" in bed.daemon.ask("diff")


@pytest.mark.parametrize("damage", ["deleted", "overwritten"])
def test_configured_routes_come_back_by_themselves_when_the_journal_is_lost(bed: Bed, damage: str) -> None:
    former = bed.daemon.kill("ribd", signal.SIGSTOP)
    for path in bed.daemon.run.journal.iterdir():
        path.unlink() if damage == "deleted" else path.write_bytes(os.urandom(200))
    os.kill(former, signal.SIGKILL)
    bed.daemon.restarted("ribd", former)
    bed.helper.say(announce(8))
    assert bed.helper.answers(1) == ["done"]
    for peer in bed.peers:
        peer.has({route(1), route(2), route(8)})
    bed.daemon.logs("another journal")


def test_a_lost_journal_is_noticed_by_a_control_that_was_away(bed: Bed) -> None:
    control = bed.daemon.kill("control", signal.SIGSTOP)
    ribd = bed.daemon.kill("ribd", signal.SIGSTOP)
    for path in bed.daemon.run.journal.iterdir():
        path.unlink()
    os.kill(control, signal.SIGKILL)
    os.kill(ribd, signal.SIGKILL)
    bed.daemon.restarted("ribd", ribd)
    bed.daemon.restarted("control", control)
    for peer in bed.peers:
        peer.has({route(1), route(2)})


def was_sent_all(peer: Peer) -> bool:
    """Whether both families' End-of-RIB has come."""
    return len(peer.session.ends_of_rib) == 2


def test_one_neighbor_more_or_less_is_no_news_to_a_hundred_others(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer]
) -> None:
    peers = [make_peer() for _ in range(100)]

    def text(count: int) -> str:
        return "".join(neighbor(peer, ROUTES.format("")) for peer in peers[:count])

    daemon = start(text(99))
    for peer in peers[:99]:
        peer.established(seconds=60)
        peer.wait(partial(was_sent_all, peer), 60, "the whole table")
        assert set(peer.session.table) == {route(1), route(2)}
    for count in (100, 99):
        moment = time.monotonic()
        daemon.file.write_text(text(count))
        daemon.ask("reload", seconds=60)
        if count == 100:
            peers[99].established(seconds=60)
            peers[99].has({route(1), route(2)})
        else:
            peers[99].ended(30)
        time.sleep(1)
        for peer in peers[:99]:
            assert len(peer.sessions) == 1
            assert peer.session.ended is None
            assert peer.session.updates_since(moment) == []


def test_what_a_watchdog_has_announced_or_withdrawn_stays_so_in_its_new_form(bed: Bed) -> None:
    first, second = bed.peers
    static = "static {{ route 10.0.0.1/32 next-hop 192.0.2.1{0} watchdog up withdraw;"
    static += " route 10.0.0.2/32 next-hop 192.0.2.1{0} watchdog down; route 10.0.0.3/32 next-hop 192.0.2.1; }}"
    bed.reload(bed.text(static.format("")))
    bed.helper.say("announce watchdog up\nwithdraw watchdog down\n")
    assert bed.helper.answers(2)[-2:] == ["done", "done"]
    first.has({route(1), route(3), route(7)})
    before = first.session.table[route(1)]
    bed.reload(bed.text(static.format(" med 7")))
    first.wait(lambda: first.session.table[route(1)] != before, PATIENCE, "the new form")
    first.quiet()
    assert len(first.session.updates_since(bed.moment)) == 1
    assert set(first.session.table) == {route(1), route(3), route(7)}
    bed.untouched(second)

"""When a helper starts, and what it may tell its parent: as under ExaBGP, whose helpers find their sessions there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.message import MessageType
from bgp.pack import end_of_rib
from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, announce, neighbor, prefix, route, withdraw, write_script
from tests.system.peer import Peer, Route

MARKERS = [end_of_rib(IPV4_UNICAST), end_of_rib(IPV6_UNICAST)]
STATIC = f"static {{ route {prefix(1)} next-hop 192.0.2.1; }}"
API = "api { processes [ p ]; neighbor-changes; }"


def said(peer: Peer, routes: set[Route]) -> list[bytes]:
    """Wait until a peer has these routes alone and nothing more comes; return the UPDATEs."""
    peer.established()
    peer.has(routes)
    peer.quiet()
    return [message for _, message in peer.session.messages if message[18] == MessageType.UPDATE]


def configuration(script: Path, *peers: Peer) -> str:
    return f"process p {{ run {script}; encoder text; }}\n" + "".join(
        neighbor(peer, f"{STATIC} api {{ processes [ p ]; }}") for peer in peers
    )


def test_what_a_helper_says_at_once_is_among_the_first_routes_of_all_its_neighbors(
    make_peer: Callable[..., Peer], directory: Path
) -> None:
    script = write_script(directory / "hasty", f"#!/bin/sh\necho '{announce(2)}{withdraw(3)}'\nexec sleep 600\n")
    found = []
    for attempt in range(3):  # where the machine has nothing to spare, even a shell may come too late
        (place := directory / str(attempt)).mkdir()
        peers = [make_peer(), make_peer()]
        daemon = Daemon(place, configuration(script, *peers)).start()
        try:
            found.append([said(peer, {route(1), route(2)}) for peer in peers])
        finally:
            daemon.clean_up()
        if all(updates[1:] == MARKERS for updates in found[-1]):
            return
    pytest.fail(f"{found}")


@pytest.mark.parametrize("end", ["exec sleep 600", "exit"])
def test_what_a_helper_says_later_follows_the_end_of_rib(
    make_peer: Callable[..., Peer], directory: Path, end: str
) -> None:
    found = []
    for attempt in range(3):  # where the machine has nothing to spare, our looking may come later still
        (place := directory / str(attempt)).mkdir()
        text = f"#!/bin/sh\n[ -e {place}/ran ] && exec sleep 600\ntouch {place}/ran\nsleep 0.05\n"
        script = write_script(place / "later", f"{text}cat <<END\n{announce(2)}{withdraw(1)}END\n{end}\n")
        peers = [make_peer(), make_peer()]
        daemon = Daemon(place, configuration(script, *peers)).start()
        try:
            found.append([said(peer, {route(2)}) for peer in peers])
        finally:
            daemon.clean_up()
        if all(updates[1:3] == MARKERS for updates in found[-1]):
            for peer in peers:
                assert peer.session.announced[route(1)] == peer.session.withdrawn[route(1)] == 1
            return
    pytest.fail(f"{found}")


def test_what_a_helper_says_before_a_peer_is_there_is_among_its_first_routes(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    script = write_script(
        directory / "later",
        f"#!/bin/sh\nsleep 0.2\necho '{announce(2)}{withdraw(1)}'\nread answer\nread answer\n"
        f"touch {directory}/done\nexec sleep 600\n",
    )
    peer = make_peer(listen=False)
    daemon = start(configuration(script, peer))
    wait_for((directory / "done").exists, PATIENCE, daemon.tail)
    peer.listen()
    assert said(peer, {route(2)})[1:] == MARKERS


def test_no_session_waits_for_a_helper_that_says_nothing_or_cannot_be_started(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    script, peer = write_script(directory / "gone", "#!/bin/no-such-shell\n"), make_peer()
    daemon = start(
        configuration(script, peer).replace("[ p ]", "[ p silent ]")
        + "process silent { run /bin/cat; encoder text; }\n"
    )
    assert said(peer, {route(1)})[1:] == MARKERS
    daemon.kill(f"peerd-{peer.address}")
    session = peer.established(2)
    peer.has({route(1)}, 6)  # it would wait for eight seconds
    assert session is peer.session
    assert "routes do not wait" not in daemon.log.read_text()


def test_a_helper_hears_of_the_session_that_it_waited_for(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    heard = directory / "heard"
    script = write_script(directory / "listen", f"#!/bin/sh\nexec cat > {heard}\n")
    start(f"process p {{ run {script}; encoder text; }}\n" + neighbor(make_peer(), API))

    def states() -> list[str]:
        lines = heard.read_text().splitlines() if heard.exists() else []
        return [line.split()[-1] for line in lines if line]

    wait_for(lambda: states() == ["connected", "up"], PATIENCE, lambda: str(states()))


def test_a_helper_does_not_wait_for_a_peer_that_is_not_there(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    ran = directory / "ran"
    script = write_script(directory / "touch", f"#!/bin/sh\ntouch {ran}\nexec sleep 600\n")
    daemon = start(f"process p {{ run {script}; encoder text; }}\n" + neighbor(make_peer(listen=False), API))
    wait_for(ran.exists, PATIENCE, daemon.tail)


def test_a_helper_may_tell_its_parent_to_reload_as_it_would_tell_the_daemon(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    go = directory / "go"
    script = write_script(
        directory / "ask",
        f"#!/bin/sh\nuntil [ -e {go} ]; do sleep 0.1; done\nkill -USR1 $PPID\n"
        f"cat <<END\n{announce(3)}END\nexec sleep 600\n",
    )
    peer = make_peer()
    process = f"process p {{ run {script}; encoder text; }}\n"
    daemon = start(process + neighbor(peer, STATIC + API))
    session = peer.established()
    daemon.file.write_text(process + neighbor(peer, STATIC.replace(prefix(1), prefix(2)) + API))
    go.touch()
    peer.wait(lambda: set(session.table) == {route(2), route(3)} or None, PATIENCE, daemon.tail())
    assert len(peer.sessions) == 1

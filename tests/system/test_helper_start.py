"""When a helper starts, and what it may tell its parent: as under ExaBGP, whose helpers find their sessions there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from bgp.message import MessageType
from bgp.pack import end_of_rib
from tests.routers.process import wait_for
from tests.system.bed import Daemon, announce, neighbor, prefix, route, withdraw, write_script
from tests.system.peer import Peer

STATIC = f"static {{ route {prefix(1)} next-hop 192.0.2.1; }}"
API = "api { processes [ p ]; neighbor-changes; }"


def test_what_a_helper_says_first_follows_the_end_of_rib(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    script = write_script(directory / "hasty", f"#!/bin/sh\ncat <<END\n{announce(2)}{withdraw(1)}END\nexec sleep 600\n")
    peer = make_peer()
    start(f"process p {{ run {script}; encoder text; }}\n" + neighbor(peer, f"{STATIC} api {{ processes [ p ]; }}"))
    session = peer.established()
    peer.wait(lambda: set(session.table) == {route(2)} or None, 15, "the helper's routes alone")
    updates = [message for _, message in session.messages if message[18] == MessageType.UPDATE]
    assert updates[1:3] == [end_of_rib(IPV4_UNICAST), end_of_rib(IPV6_UNICAST)]
    assert session.announced[route(1)] == session.withdrawn[route(1)] == 1


def test_a_helper_hears_of_the_session_that_it_waited_for(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    heard = directory / "heard"
    script = write_script(directory / "listen", f"#!/bin/sh\nexec cat > {heard}\n")
    start(f"process p {{ run {script}; encoder text; }}\n" + neighbor(make_peer(), API))

    def states() -> list[str]:
        lines = heard.read_text().splitlines() if heard.exists() else []
        return [line.split()[-1] for line in lines if line]

    wait_for(lambda: states() == ["connected", "up"], 20, lambda: str(states()))


def test_a_helper_does_not_wait_for_a_peer_that_is_not_there(
    start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    ran = directory / "ran"
    script = write_script(directory / "touch", f"#!/bin/sh\ntouch {ran}\nexec sleep 600\n")
    daemon = start(f"process p {{ run {script}; encoder text; }}\n" + neighbor(make_peer(listen=False), API))
    wait_for(ran.exists, 15, daemon.tail)


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
    peer.wait(lambda: set(session.table) == {route(2), route(3)} or None, 15, daemon.tail())
    assert len(peer.sessions) == 1

"""Real BGP data end to end: a full feed out to BIRD, a full table in to a helper, compared as sets."""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

from tests.interop.conftest import require
from tests.interop.lab import Place
from tests.routers.bird import Bird
from tests.routers.process import free_port, wait_for
from tests.routers.router import Session
from tests.routers.speaker import start_speaker
from tests.shared import shared
from tools.bench.sink import Sink, compile_sink

SECONDS = 120

ANNOUNCER = """\
#!{python}
import gzip, os, sys, threading
data = gzip.open({feed!r}).read()
threading.Thread(target=lambda: [os.write(1, data[i:i + 65536]) for i in range(0, len(data), 65536)]).start()
answers, wanted, counts = b"", data.count(b"\\n"), [0, 0]
while sum(counts) < wanted:
    answers = os.read(0, 65536)
    counts[0] += answers.count(b"e\\n")
    counts[1] += answers.count(b"r\\n")
open({result!r}, "w").write(f"{{counts[0]}} done {{counts[1]}} error")
while os.read(0, 65536): pass
"""

COLLECTOR = """\
#!{python}
import os
with open({result!r}, "wb") as file:
    while data := os.read(0, 1 << 20):
        file.write(data)
        file.flush()
"""


def write_helper(directory: Path, text: str, **values: str) -> Path:
    program = directory / "helper.py"
    program.write_text(text.format(python=sys.executable, result=str(directory / "result"), **values))
    program.chmod(0o755)
    return program


def write_configuration(directory: Path, session: Session, helper: Path, receive: str = "") -> Path:
    path = directory / "speaker.conf"
    path.write_text(
        f"process lab {{ run {helper}; encoder json; }}\n"
        f"neighbor {session.peer_address} {{\n"
        f"  router-id {session.router_id}; local-address {session.local_address};\n"
        f"  local-as {session.local_as}; peer-as {session.peer_as}; connect {session.peer_port};\n"
        f"  family {{ ipv4 unicast; }}\n  api {{ processes [ lab ]; {receive} }}\n}}\n"
    )
    return path


def session_to(port: int, peer_as: int) -> Session:
    return Session(
        local_address="127.0.0.1",
        local_port=port + 1,
        local_as=65001,
        peer_address="127.0.0.2",
        peer_port=port,
        peer_as=peer_as,
        router_id="10.0.0.1",
        families=("ipv4 unicast",),
    )


def test_a_full_feed_that_a_helper_announces_is_held_by_bird_exactly(place: Place) -> None:
    directory = place()
    feed = shared("mrt/as4777-2010-07-01-announce.txt.gz")
    with gzip.open(feed, "rt") as lines:
        wanted = {line.split()[2] for line in lines}
    require(Bird)
    session = session_to(free_port(), 64600)  # an AS that is in none of the paths
    mirrored = session.mirrored("10.0.0.2", passive=True)
    (directory / "bird").mkdir()
    bird = Bird(directory / "bird", mirrored)
    bird.start()
    helper = write_helper(directory, ANNOUNCER, feed=str(feed))
    speaker = start_speaker("bgpbus", write_configuration(directory, session, helper), directory, {})
    try:
        count = f"{len(wanted)} of {len(wanted)} routes"
        wait_for(lambda: count in bird.ask("show route count"), SECONDS, lambda: bird.ask("show route count"), 0.5)
        held = set(re.findall(r"^(\d\S+/\d+) ", bird.ask("show route"), re.MULTILINE))
        assert held == wanted
        result = directory / "result"
        said = wait_for(lambda: result.read_text() if result.exists() else None, SECONDS, "all answers")
        assert said == f"{len(wanted)} done 0 error"
    finally:
        speaker.stop()
        bird.stop()


def test_a_full_table_that_a_peer_sends_is_all_in_the_helper(place: Place) -> None:
    directory = place()
    stream = directory / "stream"
    with gzip.open(shared("mrt/pch-2015-10-23-fulltable.bgp.gz")) as file:
        stream.write_bytes(file.read())
    wanted, withdrawn = prefixes_of(stream.read_bytes())
    port = free_port()
    sink = Sink.start(compile_sink(directory), directory / "sink.log", port, feed=stream)
    helper = write_helper(directory, COLLECTOR)
    receive = "receive { parsed; update; }"
    configuration = write_configuration(directory, session_to(port, 65001), helper, receive)
    speaker = start_speaker("bgpbus", configuration, directory, {})
    try:
        sink.wait_established(SECONDS)
        wait_for((directory / "result").exists, SECONDS, "the helper to start")
        sink.go()
        seen: set[str] = set()
        gone: set[str] = set()
        with (directory / "result").open() as lines:
            rest = ""  # of a line that the helper is writing

            def all_there() -> bool:
                nonlocal rest
                whole, newline, rest = (rest + lines.read()).rpartition("\n")
                for line in (whole + newline).splitlines():
                    update = json.loads(line)["neighbor"]["message"].get("update", {})
                    for routes in update.get("announce", {}).get("ipv4 unicast", {}).values():
                        seen.update(route["nlri"] for route in routes)
                    gone.update(route["nlri"] for route in update.get("withdraw", {}).get("ipv4 unicast", ()))
                return len(seen | gone) >= len(wanted | withdrawn)

            wait_for(all_there, SECONDS, lambda: f"{len(seen)} of {len(wanted)} prefixes", 0.2)
        # Four announcements carry AS 0 in their path and are treated as withdrawn (RFC 7607).
        assert len(wanted) == 577_706
        assert wanted - seen <= gone
        assert len(wanted - seen) <= 4
        assert seen <= wanted
    finally:
        speaker.stop()
        sink.process.stop()


def prefixes_of(stream: bytes) -> tuple[set[str], set[str]]:
    """Return what a stream of IPv4 UPDATEs announces and withdraws, read without our own decoder."""
    announced: set[str] = set()
    withdrawn: set[str] = set()
    offset = 0
    while offset < len(stream):
        end = offset + int.from_bytes(stream[offset + 16 : offset + 18], "big")
        if stream[offset + 18] == 2:
            gone = offset + 21 + int.from_bytes(stream[offset + 19 : offset + 21], "big")
            routes = gone + 2 + int.from_bytes(stream[gone : gone + 2], "big")
            withdrawn |= prefixes(stream[offset + 21 : gone])
            announced |= prefixes(stream[routes:end])
        offset = end
    return announced, withdrawn


def prefixes(octets: bytes) -> set[str]:
    found, offset = set(), 0
    while offset < len(octets):
        size = (octets[offset] + 7) // 8
        address = octets[offset + 1 : offset + 1 + size].ljust(4, b"\0")
        found.add(f"{'.'.join(map(str, address))}/{octets[offset]}")
        offset += 1 + size
    return found

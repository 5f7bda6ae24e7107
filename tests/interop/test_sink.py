"""The peer that the benchmarks count with counts right."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.lab import Place
from tests.routers.process import PATIENCE, MissingProgram, free_port
from tools.bench import feeds
from tools.bench.sink import Sink, compile_sink
from tools.bench.steady import bare_way
from tools.bench.work import Bench

MARKER = b"\xff" * 16
MP4 = bytes.fromhex("0206010400010001")
OPEN = MARKER + struct.pack(">HBBHH", 29 + len(MP4), 1, 4, 65000, 180) + b"\x0a\0\0\1" + bytes([len(MP4)]) + MP4
KEEPALIVE = MARKER + b"\x00\x13\x04"


def update(withdrawn: bytes = b"", attributes: bytes = b"", nlri: bytes = b"") -> bytes:
    """Frame an UPDATE."""
    body = struct.pack(">H", len(withdrawn)) + withdrawn + struct.pack(">H", len(attributes)) + attributes + nlri
    return MARKER + struct.pack(">HB", 19 + len(body), 2) + body


@pytest.fixture(scope="module")
def program(place: Place) -> Path:
    """Compile the sink."""
    try:
        return compile_sink(place())
    except MissingProgram as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
def port() -> int:
    """Return a free port."""
    return free_port()


@pytest.fixture
def session(port: int) -> Iterator[socket.socket]:
    """Return a socket that the test connects once the sink listens."""
    with socket.socket() as connection:
        connection.settimeout(PATIENCE)
        yield connection


def greet(session: socket.socket, port: int) -> None:
    """Bring the session up."""
    session.connect(("127.0.0.1", port))
    session.sendall(OPEN)
    wanted, got = len(OPEN) + len(KEEPALIVE), b""
    while len(got) < wanted:
        got += session.recv(4096)
    assert got[:24] == OPEN[:24]
    assert got[24:28] != OPEN[24:28]
    session.sendall(KEEPALIVE)


def test_distinct_prefixes_are_counted_once_and_withdrawn_once(
    program: Path, port: int, session: socket.socket, place: Place
) -> None:
    sink = Sink.start(program, place() / "log", port, goals=(3, 5, 0))
    try:
        greet(session, port)
        four = bytes.fromhex("180a0100 180a0200".replace(" ", ""))
        six = bytes.fromhex("4020010db800000001 4020010db800000002 8020010db8000000020000000000000001".replace(" ", ""))
        reach = b"\x90\x0e" + struct.pack(">H", 21 + len(six)) + b"\x00\x02\x01\x10" + bytes(16) + b"\x00" + six
        session.sendall(update(nlri=four) * 2 + update(attributes=reach) * 2)
        assert sink.wait_reached(0, PATIENCE).updates == 3
        assert sink.wait_reached(1, PATIENCE).goal == 5
        unreach = b"\x90\x0f" + struct.pack(">H", 3 + len(six)) + b"\x00\x02\x01" + six
        session.sendall(update(withdrawn=four) * 2 + update(attributes=unreach))
        assert sink.wait_reached(2, PATIENCE).goal == 0
    finally:
        sink.stop()


def test_as_many_prefixes_as_a_generated_stream_promises_arrive(
    program: Path, port: int, session: socket.socket, place: Place
) -> None:
    sink = Sink.start(program, place() / "log", port, goals=(5000,))
    try:
        greet(session, port)
        session.sendall(feeds.updates(5000))
        assert sink.wait_reached(0, PATIENCE).updates == 1000
    finally:
        sink.stop()


def test_a_feed_is_sent_whole_after_go(program: Path, port: int, session: socket.socket, place: Place) -> None:
    feed = place() / "feed"
    feed.write_bytes(feeds.updates(1000))
    sink = Sink.start(program, place() / "log", port, feed=feed)
    try:
        greet(session, port)
        sink.wait_established(PATIENCE)
        sink.go()
        got = b""
        while len(got) < feed.stat().st_size:
            got += session.recv(65536)
        assert got == feed.read_bytes()
    finally:
        sink.stop()


def test_the_bare_way_brings_every_route_to_the_peer(program: Path, place: Place) -> None:
    results = bare_way(Bench("bgpbus", place(), program, short=True))
    assert {result.name: result.count for result in results}["bare way p50"] == 200
    assert all(result.value > 0 for result in results)

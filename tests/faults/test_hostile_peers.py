"""Peers, and strangers, that misbehave below and above BGP; and what they must not be able to do to others."""

from __future__ import annotations

import gzip
import os
import random
import re
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.live import LivePeer
from tests.faults.product import Lines, Product, neighbor, process
from tests.faults.tables import HOLD_TIME, both_ways, cut
from tests.faults.wire import KEEPALIVE, NOTIFICATION, OPEN, Peer, dial_established, message, open_message
from tests.routers.process import PATIENCE
from tests.shared import shared

pytestmark = pytest.mark.system

GOOD, DEAF, TALKER, SLOW, BUSY = (f"127.23.3.{number}" for number in range(1, 6))
STRANGER = "127.23.3.200"
SEND_HOLD = 4
ROUTES = 300_000
CONNECTIONS = 300
FROZEN = 10.0  # seconds for which ribd is stopped
OUT = 100_000


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One product with a good peer that must notice nothing, and neighbors for the others."""
    directory = tmp_path_factory.mktemp("peers")
    (directory / "lines").touch()
    text = process("recorder", "recorder.py", directory / "lines")
    text += process("many", "hostile.py", "never-reads", ROUTES)
    text += neighbor(GOOD, hold_time=HOLD_TIME, helpers=("recorder",))
    text += neighbor(
        DEAF,
        hold_time=0,
        helpers=("recorder",),
        receive="",
        extra=f"send-hold-time {SEND_HOLD}; api many {{ processes [ many ]; }}",
    )
    text += neighbor(TALKER, helpers=("recorder",)) + neighbor(SLOW) + neighbor(BUSY)
    with Product(directory, text, {"exabgp_bgp_openwait": "3"}) as running:
        yield running


@pytest.fixture(scope="module")
def good(product: Product) -> Iterator[LivePeer]:
    peer = LivePeer(GOOD, product.target, HOLD_TIME)
    yield peer
    peer.stop()


@pytest.fixture(autouse=True)
def _nobody_else_notices(product: Product, good: LivePeer) -> Iterator[None]:
    """Whatever a test does: the good session stays, no daemon dies."""
    before = product.daemons()
    yield
    time.sleep(0.2)
    assert product.daemons() == before
    assert good.ended == ""
    assert good.longest_silence < HOLD_TIME
    assert "Traceback" not in product.log()


def test_a_peer_with_a_closed_window_is_given_up_by_the_send_hold_timer(product: Product) -> None:
    peer = Peer.dial(DEAF, product.target, receive_buffer=4096)
    started = time.monotonic()
    try:
        peer.wait(OPEN)
        peer.send(open_message(65001, 0) + message(KEEPALIVE))
        product.wait(lambda: f"session up peer={DEAF}" in product.log(), PATIENCE, "the session")
        # Nothing is read from here on. Until the helper has written enough to fill the buffers, nothing is blocked.
        product.wait(lambda: f"session down peer={DEAF}" in product.log(), PATIENCE, "the send hold timer")
    finally:
        peer.close()
    assert time.monotonic() - started >= SEND_HOLD
    assert f"nothing could be sent for {SEND_HOLD} seconds" in product.log()


STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [\w.-]+ [A-Z]+ ")
HOSTILE_TEXTS = {
    "control characters": bytes(range(1, 32)) + b"\x7f\x9b",
    "newline and JSON": b'bye\n{ "type": "state", "neighbor": { "state": "up" } }\n',
    "escape sequence": b"\x1b[2J\x1b]0;owned\x07",
    "quotes and backslashes": b'"\\", "state": "up", "x": "\\u0000',
    "C1 and line separators": "\u0085\u2028\u2029\u202e\u009b31m".encode(),
    "not UTF-8": b"\xff\xfe\xc0\x80\xed\xa0\x80",
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_a_shutdown_communication_breaks_no_line(product: Product, text: bytes) -> None:
    file = product.directory / "lines"
    lines = Lines(file)
    lines.new()
    log_before = len(product.log())
    peer = dial_established(TALKER, product.target, open_message(65001))
    peer.send(message(NOTIFICATION, bytes((6, 2, len(text))) + text))
    assert peer.wait_closed(PATIENCE)
    peer.close()
    found: list[dict[str, object]] = []

    def told() -> bool:
        found.extend(lines.new_events())
        states = [event["neighbor"] for event in found if event["type"] == "state"]
        return any(state.get("state") == "down" and state["address"]["peer"] == TALKER for state in states)  # type: ignore[attr-defined,index]

    product.wait(told, PATIENCE, "the helper to hear of the end")
    assert any(event["type"] == "notification" for event in found)
    new = product.log()[log_before:]
    assert all(character.isprintable() or character == "\n" for character in new)
    assert all(STAMP.match(line) for line in new.splitlines())


def test_a_flood_of_connections_from_strangers_is_refused(product: Product) -> None:
    refused = 0
    for number in range(CONNECTIONS):
        peer = Peer.dial(STRANGER, product.target)
        if number % 3 == 0:
            peer.reset()
            continue
        if number % 3 == 1:
            peer.send(os.urandom(64))
        peer.wait_closed(PATIENCE)
        refused += peer.notification == (6, 5)
        peer.close()
    assert refused > CONNECTIONS // 4
    # A neighbor still gets in.
    dial_established(BUSY, product.target, open_message(65001)).close()


def test_connections_of_a_neighbor_that_never_speak_end_with_the_open_timer(product: Product) -> None:
    first = Peer.dial(SLOW, product.target)
    first.wait(OPEN)
    others = [Peer.dial(SLOW, product.target) for _ in range(20)]
    for other in others:
        other.wait_closed(PATIENCE)
    assert {other.notification for other in others} == {(6, 7)}
    assert first.wait_closed(PATIENCE)
    assert first.notification in ((4, 0), (5, 1))
    for peer in (first, *others):
        peer.close()
    dial_established(SLOW, product.target, open_message(65001)).close()


def test_an_open_that_drips_in_does_not_extend_the_time_for_it(product: Product) -> None:
    peer = Peer.dial(SLOW, product.target)
    peer.wait(OPEN)
    started = time.monotonic()
    for octet in open_message(65001):
        if peer.closed or not peer.send(bytes((octet,))):
            break
        peer.poll(0.15)
    assert peer.wait_closed(10)
    assert 2 < time.monotonic() - started < 8
    peer.close()


def test_a_connection_that_is_half_open_is_replaced_when_its_peer_returns(product: Product) -> None:
    """The peer vanished without FIN or RST; what it left behind ends with the hold timer, not before, not never."""
    ghost = dial_established(BUSY, product.target, open_message(65001, HOLD_TIME))
    started = time.monotonic()
    back = dial_established(BUSY, product.target, open_message(65001), 20)
    assert time.monotonic() - started < 15
    back.close()
    ghost.close()


@pytest.mark.parametrize("seed", range(6))
def test_garbage_of_a_neighbor_ends_its_connection_and_nothing_else(product: Product, seed: int) -> None:
    chance = random.Random(seed)
    if seed % 2:
        peer = dial_established(BUSY, product.target, open_message(65001))
    else:
        peer = Peer.dial(BUSY, product.target)
    while peer.send(chance.randbytes(chance.randint(1, 100_000))):
        peer.poll(0.01)
        if peer.closed:
            break
    assert peer.wait_closed(PATIENCE)
    assert peer.notification is None or peer.notification[0] in (1, 2, 3, 6)
    peer.close()


def test_a_connection_that_is_reset_at_once_leaves_nothing_behind(product: Product) -> None:
    peerd = product.daemons()[f"peerd-{BUSY}"]
    time.sleep(0.3)
    before = len(os.listdir(f"/proc/{peerd}/fd"))
    for _ in range(50):
        sock = socket.socket()
        sock.bind((BUSY, 0))
        sock.connect(product.target)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    dial_established(BUSY, product.target, open_message(65001)).close()
    product.wait(lambda: len(os.listdir(f"/proc/{peerd}/fd")) <= before + 1, PATIENCE, "the descriptors to be closed")


def test_a_hold_time_of_three_seconds_survives_a_full_table_both_ways_and_a_stopped_ribd(tmp_path: Path) -> None:
    feed = cut(gzip.decompress(shared("mrt/pch-2015-10-23-fulltable.bgp.gz").read_bytes()))
    result = both_ways(tmp_path, feed, OUT, FROZEN)
    assert result.ended == ""
    assert result.longest_silence < HOLD_TIME
    assert result.missing == 0
    assert result.sessions == 1

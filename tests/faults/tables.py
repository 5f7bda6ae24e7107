"""A full table in and many routes out at the same time, with ribd stopped in the middle, on a short hold time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tests.faults.helpers import prefixes
from tests.faults.live import LivePeer
from tests.faults.product import Product, neighbor, process
from tests.routers.process import PATIENCE

PEER, ASN = "127.23.4.1", 65000
HOLD_TIME = 3


class BothWays(Struct, frozen=True):
    """What the peer saw. Times in seconds, memory in MiB."""

    ended: str
    longest_silence: float
    missing: int  # routes of ours that did not arrive
    sessions: int  # that came up
    seconds: float  # until both tables were over
    memory: dict[str, int]


def cut(octets: bytes) -> list[bytes]:
    """Cut a stream into its messages."""
    found, start = [], 0
    while start < len(octets):
        length = int.from_bytes(octets[start + 16 : start + 18], "big")
        found.append(octets[start : start + length])
        start += length
    return found


def both_ways(directory: Path, feed: Sequence[bytes], out: int, frozen: float) -> BothWays:
    """Send `feed` to the product while a helper announces `out` routes and ribd is stopped for `frozen` seconds."""
    text = process("many", "hostile.py", "never-reads", out)
    text += neighbor(PEER, local_as=ASN, peer_as=ASN, hold_time=HOLD_TIME, helpers=("many",), receive="")
    with Product(directory, text) as product:
        product.wait(lambda: "helper started" in product.log(), PATIENCE, "the helper")
        ribd = product.daemons()["ribd"]
        peer = LivePeer(PEER, product.target, HOLD_TIME, ASN)
        started = time.monotonic()
        try:
            peer.feed(feed)
            os.kill(ribd, signal.SIGSTOP)
            time.sleep(frozen)
            os.kill(ribd, signal.SIGCONT)
            product.wait(lambda: peer.ended or (peer.fed_at and len(peer.held) >= out), 180, "both tables")
            seconds = time.monotonic() - started
            memory = product.memory()
        finally:
            os.kill(ribd, signal.SIGCONT)
            peer.stop()
        sessions = product.log().count("session up")
        return BothWays(peer.ended, peer.longest_silence, len(prefixes(20, out) - peer.held), sessions, seconds, memory)

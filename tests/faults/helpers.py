"""Run hostile helpers beside a good one, and measure what the good one, the peer and the machine notice."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from bus.transport import Subscriber
from tests.faults.live import LivePeer
from tests.faults.product import Product, neighbor, process
from tests.faults.wire import announcement
from tests.routers.process import PATIENCE

PEER = "127.23.2.1"
SETTLE = 2.0  # seconds for which the good helper is measured at least
FED_ROUTES = 40_000  # announced by the peer, one for each UPDATE: more than a small queue of events holds


class Misbehaviour(Struct):
    """What was seen while helpers misbehaved. Times in seconds, memory in MiB."""

    latencies: list[float] = field(default_factory=list)
    session_ended: str = ""
    longest_silence: float = 0.0
    held: set[bytes] = field(default_factory=set)
    memory: dict[str, int] = field(default_factory=dict)
    log: str = ""
    pids_before: dict[str, int] = field(default_factory=dict)
    pids_after: dict[str, int] = field(default_factory=dict)
    taps: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    seconds: float = 0.0
    stop_seconds: float = 0.0

    def percentile(self, share: float) -> float:
        """Return a percentile of the good helper's latencies."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def prefixes(first: int, count: int) -> set[bytes]:
    """Return the NLRI that `hostile.py` announces below FIRST.0.0.0/8."""
    return {bytes((32, first)) + number.to_bytes(3, "big") for number in range(count)}


def feed_messages(count: int) -> list[bytes]:
    """Return UPDATEs of one route each."""
    return [
        announcement([f"40.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}/32"], [65001, 64512 + n % 500])
        for n in range(count)
    ]


def misbehave(
    directory: Path,
    helpers: Mapping[str, Sequence[object]],
    expected: set[bytes],
    *,
    environment: Mapping[str, str] | None = None,
    fed: int = 0,
    during: Any = None,
    seconds: float = 180.0,
) -> Misbehaviour:
    """Run helpers (name: words of `hostile.py`) beside a good one until the peer holds `expected`.

    The session has hold time 3; `fed` routes come from the peer; `during` is called with the product and the result.
    """
    text = process("good", "pinger.py", directory / "latencies")
    text += "".join(process(name, "hostile.py", *words) for name, words in helpers.items())
    # The good helper only commands: its pipe carries nothing but answers.
    text += neighbor(PEER, hold_time=3, helpers=tuple(helpers), extra="api good { processes [ good ]; }")
    result = Misbehaviour()
    product = Product(directory, text, environment or {})
    peer: LivePeer | None = None
    tap: Subscriber | None = None
    try:
        product.start()
        tap = Subscriber(product.run.events, ["helper/"])
        product.wait(lambda: (directory / "latencies").exists(), PATIENCE, "the good helper")
        result.pids_before = product.daemons()
        peer = LivePeer(PEER, product.target)
        started = time.monotonic()
        peer.feed(feed_messages(fed))
        while time.monotonic() - started < seconds and not peer.ended:
            # Their number first: comparing a million routes keeps the peer's thread from its KEEPALIVEs.
            complete = len(peer.held) >= len(expected) and peer.held >= expected
            if time.monotonic() - started > SETTLE and complete and peer.fed_at:
                break
            time.sleep(0.1)
        result.seconds = time.monotonic() - started
        if during is not None:
            during(product, result)
        result.held, result.session_ended = set(peer.held), peer.ended
        result.longest_silence = peer.longest_silence
        result.memory, result.pids_after = product.memory(), product.daemons()
        while (event := tap.next(0.5)) is not None:
            result.taps.append((event.topic, event.data))
    finally:
        if peer is not None:
            peer.stop()
        if tap is not None:
            tap.close()
        stopping = time.monotonic()
        product.stop()
        result.stop_seconds = time.monotonic() - stopping
    result.log = product.log()
    result.latencies = [float(line) for line in (directory / "latencies").read_text().split()]
    return result


def log_lines(result: Misbehaviour, helper: str) -> list[str]:
    """Return the log lines of one helper's bridge."""
    return [line for line in result.log.splitlines() if re.search(rf" helper-{re.escape(helper)} ", line)]

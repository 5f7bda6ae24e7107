"""Workloads that time a start: from the process until the peers have all routes of the configuration."""

from __future__ import annotations

import time

from tools.bench import feeds
from tools.bench.speakers import Setup
from tools.bench.work import LIMIT, Bench, Result, new_port


def static_20k(bench: Bench) -> list[Result]:
    """Start with 20,000 static routes."""
    return _start(bench, "static-20k", 20_000, 1)


def static_100k(bench: Bench) -> list[Result]:
    """Start with 100,000 static routes."""
    return _start(bench, "static-100k", 100_000, 1)


def neighbors_100(bench: Bench) -> list[Result]:
    """Start with 500 static routes for each of 100 neighbors."""
    return _start(bench, "neighbors-100", 500, 100)


def _start(bench: Bench, name: str, count: int, neighbors: int) -> list[Result]:
    static = tuple(f"{prefix} next-hop 192.0.2.1" for prefix in feeds.prefixes4(count))
    setup = Setup(bench.directory, new_port(), neighbors, static=static)
    sink = bench.sink(setup.port, sessions=neighbors, goals=(count,))
    begun = time.monotonic()
    with bench.running(setup, sink):
        reached = sink.wait_reached(0, LIMIT)
        established = sink.wait_established(5)
    total = count * neighbors
    return [
        Result(name, reached.time - begun, "s", total),
        Result(f"{name}, once up", reached.time - established, "s", total),
    ]

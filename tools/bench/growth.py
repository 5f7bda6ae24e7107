"""Workloads of ten times the size each: does the cost grow as the work does?"""

from __future__ import annotations

import time

from tools.bench import feeds, usage
from tools.bench.speakers import Setup
from tools.bench.work import LIMIT, Bench, Result, go, make_go, new_port, program, result_of

HELPER = "announcer.py"
ROUTES = (10_000, 100_000, 1_000_000)
NEIGHBORS = (1, 10, 100, 1_000)
EACH = 1_000  # routes for each neighbor
SETTLE = 1.0  # seconds until memory is looked at: what was sent and acknowledged is given back


def routes(bench: Bench) -> list[Result]:
    """Announce more and more routes; ribd's own memory for each."""
    results: list[Result] = []
    for count in ROUTES[:1] if bench.short else ROUTES:
        results += _routes(bench.anew(), count)
    return results


def neighbors(bench: Bench) -> list[Result]:
    """Have more and more neighbors, 1,000 routes for each; memory of all processes together."""
    results: list[Result] = []
    for count in NEIGHBORS[:2] if bench.short else NEIGHBORS:
        results += _neighbors(bench.anew(), count)
    return results


def _routes(bench: Bench, count: int) -> list[Result]:
    place = bench.directory
    (place / "lines.0").write_bytes(feeds.announcements(count))
    make_go(place)
    setup = Setup(place, new_port(), helper=program("announcer", place))
    sink = bench.sink(setup.port, goals=(count,))
    with bench.running(setup, sink) as speaker:
        sink.wait_established(60)
        ribd = usage.processes_with(speaker.pid, "-m ribd")
        before = usage.memory(ribd).unshared
        go(place)
        reached = sink.wait_reached(0, LIMIT)
        start = result_of(place, "result.0", LIMIT)[0]
        sink.listen(SETTLE)
        grown = usage.memory(ribd).unshared - before
    return [
        Result(f"growth: routes: {count:,}", reached.time - start, "s", count),
        Result(f"growth: ribd, routes: {count:,}", grown * 1024 * 1024 / count, "B/route", count),
    ]


def _neighbors(bench: Bench, count: int) -> list[Result]:
    place = bench.directory
    (place / "lines.0").write_bytes(feeds.announcements(EACH))
    make_go(place)
    setup = Setup(place, new_port(), count, helper=program("announcer", place))
    sink = bench.sink(setup.port, sessions=count, goals=(EACH,))
    begun = time.monotonic()
    with bench.running(setup, sink) as speaker:
        up = sink.wait_established(LIMIT)
        go(place)
        reached = sink.wait_reached(0, LIMIT)
        start = result_of(place, "result.0", LIMIT)[0]
        memory = usage.memory(usage.processes_of(speaker.pid, HELPER))
    return [
        Result(f"growth: neighbors up: {count:,}", up - begun, "s", count),
        Result(f"growth: neighbors have all: {count:,}", reached.time - start, "s", count),
        Result(f"growth: memory, neighbors: {count:,}", memory.pss, "MiB", count),
    ]

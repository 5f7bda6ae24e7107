"""Workloads that ask for little: the delay of one announcement, and the cost of doing nothing."""

from __future__ import annotations

import statistics
from bisect import bisect_left

from msgspec.structs import replace

from tools.bench import usage
from tools.bench.speakers import Setup
from tools.bench.work import LIMIT, Bench, Result, go, make_go, new_port, program, result_of


def latency(bench: Bench) -> list[Result]:
    """Time single announcements from the helper's write to the peer's read."""
    return _latency(bench, "latency")


def bare_way(bench: Bench) -> list[Result]:
    """Time the same where nothing is done on the way."""
    return _latency(replace(bench, kind="bare"), "bare way")


def _latency(bench: Bench, name: str) -> list[Result]:
    place = bench.directory
    samples = bench.amount(500, 500, short=200)  # of each kind
    make_go(place)
    setup = Setup(place, new_port(), helper=program("pinger", place, str(2 * samples)))
    sink = bench.sink(setup.port, goals=(2 * samples,), stamp=True)
    with bench.running(setup, sink):
        sink.wait_established(60)
        go(place)
        sink.wait_reached(0, LIMIT)
        written = result_of(place, "result", 30)
        times, held = zip(*sink.stamps(), strict=True)
    delays = [(times[bisect_left(held, number)] - when) * 1000 for number, when in enumerate(written, 1)]
    slept, awake = (statistics.quantiles(half, n=100) for half in (delays[:samples], delays[samples:]))
    return [
        Result(f"{name} p50", slept[49], "ms", samples),
        Result(f"{name} p99", slept[98], "ms", samples),
        Result(f"{name} p50, without a pause", awake[49], "ms", samples),
        Result(f"{name} p99, without a pause", awake[98], "ms", samples),
    ]


def idle(bench: Bench) -> list[Result]:
    """Watch all processes of the speaker while one session is up and nothing happens."""
    place = bench.directory
    make_go(place)
    setup = Setup(place, new_port(), helper=program("announcer", place))
    sink = bench.sink(setup.port)
    with bench.running(setup, sink) as speaker:
        sink.wait_established(60)
        sink.listen(2)
        pids = usage.processes_of(speaker.pid, "announcer.py")
        share = usage.cpu_share(pids, 4 if bench.short else 10)
        memory = usage.memory(pids)
    return [
        Result("idle CPU", share, "%", memory.processes),
        Result("idle memory (pss)", memory.pss, "MiB", memory.processes),
        Result("idle memory (rss)", memory.rss, "MiB", memory.processes),
    ]

"""Workloads with many neighbors, and what must not happen to them."""

from __future__ import annotations

import os
import signal
import time

from tests.routers.process import wait_for
from tools.bench import feeds, usage
from tools.bench.sink import Sink
from tools.bench.speakers import Setup
from tools.bench.work import LIMIT, Bench, Result, go, make_go, new_port, program, result_of

HELPER = "announcer.py"


def neighbors_100_10k(bench: Bench) -> list[Result]:
    """Announce 10,000 routes to 100 neighbors: the same to all, then to each its own, a million commands."""
    same = _wide(bench.anew(), "neighbors-100x10k", 100, 10_000)
    return same + _wide(bench.anew(), "neighbors-100x10k, own", 100, 10_000, own=True)


def neighbors_1000(bench: Bench) -> list[Result]:
    """Bring up 1,000 neighbors, announce 1,000 routes to each, kill ribd, and see that nobody notices."""
    return _wide(bench, "neighbors-1000", 1_000, 1_000, watch=10 if bench.short else 600)


def passive_1000(bench: Bench) -> list[Result]:
    """Have 1,000 neighbors connect to us all at once, and announce 1,000 routes to each."""
    return _wide(bench, "passive-1000", 1_000, 1_000, passive=True)


def idle_100(bench: Bench) -> list[Result]:
    """Watch all processes of the speaker while 100 sessions are up and nothing happens."""
    place = bench.directory
    make_go(place)
    setup = Setup(place, new_port(), 100, helper=program("announcer", place))
    sink = bench.sink(setup.port, sessions=100)
    with bench.running(setup, sink) as speaker:
        sink.wait_established(LIMIT)
        sink.listen(2)
        pids = usage.processes_of(speaker.pid, HELPER)
        share = usage.cpu_share(pids, 10 if bench.short else 60)
        memory = usage.memory(pids)
    return [
        Result("idle CPU, 100 sessions", share, "%", memory.processes),
        Result("idle memory (pss), 100 sessions", memory.pss, "MiB", memory.processes),
    ]


def reset(bench: Bench) -> list[Result]:
    """Reset a session that was sent 100,000 routes, and time until it has them again."""
    count = bench.amount(5_000, 100_000)
    place = bench.directory
    (place / "lines.0").write_bytes(feeds.announcements(count))
    make_go(place)
    setup = Setup(place, new_port(), helper=program("announcer", place))
    sink = bench.sink(setup.port, goals=(count, 0, count))
    with bench.running(setup, sink):
        sink.wait_established(60)
        go(place)
        sink.wait_reached(0, LIMIT)
        sink.listen(2)
        up = sink.reset(60)
        again = sink.wait_reached(2, LIMIT)
    return [Result("reset, once up again", again.time - up, "s", count)]


def _wide(
    bench: Bench, name: str, neighbors: int, count: int, *, watch: float = 0, passive: bool = False, own: bool = False
) -> list[Result]:
    place = bench.directory
    (place / "lines.1").write_bytes(b"announce route 198.51.100.0/24 next-hop 192.0.2.1\n")
    make_go(place)
    setup = Setup(place, new_port(), neighbors, helper=program("announcer", place), passive=passive)
    lines = feeds.announcements_to(setup.peers(), count) if own else feeds.announcements(count)
    (place / "lines.0").write_bytes(lines)
    sink = bench.sink(setup.port, sessions=neighbors, goals=(count, count + 1), dial=passive)
    begun = time.monotonic()
    with bench.running(setup, sink) as speaker:
        up = sink.wait_established(LIMIT)
        go(place)
        reached = sink.wait_reached(0, LIMIT)
        start, _, _, _, errors = result_of(place, "result.0", LIMIT)
        if errors:
            raise ValueError(f"{errors:.0f} commands were refused")
        results = [
            Result(f"{name}, all up", up - begun, "s", neighbors),
            Result(f"{name}, all have all", reached.time - start, "s", neighbors * count),
        ]
        if watch:
            memory = usage.memory(usage.processes_of(speaker.pid, HELPER))
            results.append(Result(f"{name}, memory (pss)", memory.pss, "MiB", memory.processes))
            results.append(Result(f"{name}, CPU while idle", _undisturbed(sink, speaker.pid, watch), "%", neighbors))
            go(place)
            sink.wait_reached(1, LIMIT)
    return results


def _undisturbed(sink: Sink, pid: int, seconds: float) -> float:
    """Kill ribd and watch: no session may end, no UPDATE may be sent. Return the CPU share, in per cent of a core."""
    before = sink.count()
    (killed,) = usage.processes_with(pid, "-m ribd")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: set(usage.processes_with(pid, "-m ribd")) - {killed}, 10, "supervisord to start ribd again")
    sink.listen(2)
    pids = usage.processes_of(pid, HELPER)
    used, start = usage.cpu_seconds(pids), time.monotonic()
    sink.listen(seconds)
    share = 100 * (usage.cpu_seconds(pids) - used) / (time.monotonic() - start)
    if sink.closed:
        raise ValueError(f"{len(sink.closed)} sessions ended: {sink.closed[:3]}")
    if (after := sink.count()) != before:
        raise ValueError(f"sent again after ribd was killed: {after} instead of {before}")
    return share

"""Workloads in which a helper announces by pipe, with acknowledgements on, until the peer has everything."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.routers.process import find_program
from tools.bench import feeds, usage
from tools.bench.speakers import Setup
from tools.bench.work import LIMIT, Bench, Result, go, make_go, new_port, program, result_of

Lines = Callable[[int], bytes]
SETTLED = 1.0  # seconds after the last session came up: helpers and other sessions are still starting, which is no rate


def announce(bench: Bench) -> list[Result]:
    """Announce IPv4 routes with one attribute set, then withdraw them; memory for each route on the way."""
    count = bench.amount(5_000, 100_000)
    if bench.kind == "gobgp":
        return [_inject(bench, "announce", count)]
    return _announce(bench, "announce", count, feeds.announcements, withdraw=feeds.withdrawals)


def communities(bench: Bench) -> list[Result]:
    """Announce IPv4 routes with a new community every ten."""
    return _announce(bench, "communities", bench.amount(5_000, 100_000), feeds.communities)


def ipv6(bench: Bench) -> list[Result]:
    """Announce IPv6 routes."""
    return _announce(bench, "ipv6", bench.amount(5_000, 100_000), feeds.announcements6, family="ipv6 unicast")


def real_feed(bench: Bench) -> list[Result]:
    """Announce a real full feed."""
    return _announce(bench, "feed", bench.amount(5_000, 323_424), feeds.real_feed)


def flow(bench: Bench) -> list[Result]:
    """Announce FlowSpec rules."""
    return _announce(bench, "flow", bench.amount(3_000, 20_000), feeds.flow_rules, family="ipv4 flow")


def neighbors_20(bench: Bench) -> list[Result]:
    """Announce 2,000 routes to 20 neighbors at once."""
    return _announce(bench, "neighbors-20", 2_000, feeds.announcements, neighbors=20)


def _inject(bench: Bench, name: str, count: int) -> Result:
    """Let `gobgp mrt inject` announce: GoBGP has no pipe, and its own client is faster than one in Python."""
    place = bench.directory
    (place / "dump").write_bytes(feeds.table_dump(count))
    setup = Setup(place, new_port(), api_port=new_port())
    with bench.running(setup, sink := bench.sink(setup.port, goals=(count,))):
        sink.wait_established(60)
        start = time.monotonic()
        client = [find_program("gobgp"), "-p", str(setup.api_port), "mrt", "inject", "global", str(place / "dump")]
        subprocess.run(client, check=True, capture_output=True, timeout=LIMIT)
        return Result(name, count / (sink.wait_reached(0, LIMIT).time - start), "routes/s", count)


def _announce(
    bench: Bench,
    name: str,
    count: int,
    lines: Lines,
    *,
    family: str = "ipv4 unicast",
    neighbors: int = 1,
    withdraw: Lines | None = None,
) -> list[Result]:
    place = bench.directory
    text = lines(count)
    distinct = len({line.split()[2] for line in text.splitlines()}) if b" route {" not in text else count
    (place / "lines.0").write_bytes(text)
    if withdraw:
        (place / "lines.1").write_bytes(withdraw(count))
    make_go(place)
    setup = Setup(place, new_port(), neighbors, family, program("announcer", place))
    sink = bench.sink(setup.port, sessions=neighbors, goals=(distinct, 0) if withdraw else (distinct,))
    results = []
    with bench.running(setup, sink) as speaker:
        sink.wait_established(60)
        time.sleep(SETTLED)
        pids = usage.processes_of(speaker.pid, "announcer.py")
        before = usage.memory(pids).pss
        go(place)
        reached = sink.wait_reached(0, LIMIT)
        start, _, answered, _, errors = result_of(place, "result.0", LIMIT)
        details = {"acked/s": count / (answered - start), "errors": errors, "updates": float(reached.updates)}
        results.append(Result(name, count / (reached.time - start), "routes/s", count, details))
        if withdraw:
            grown = usage.memory(usage.processes_of(speaker.pid, "announcer.py")).pss - before
            results.append(Result("memory", grown * 1024 * 1024 / count, "B/route", count))
            go(place)
            gone = sink.wait_reached(1, LIMIT)
            start = result_of(place, "result.1", LIMIT)[0]
            results.append(Result("withdraw", count / (gone.time - start), "routes/s", count))
    return results

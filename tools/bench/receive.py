"""Workloads in which the peer sends and a helper reads JSON."""

from __future__ import annotations

from tools.bench import feeds
from tools.bench.speakers import Setup
from tools.bench.work import LIMIT, Bench, Result, new_port, program, result_of


def receive(bench: Bench) -> list[Result]:
    """Receive prefixes, five in an UPDATE."""
    count = bench.amount(25_000, 200_000)
    return _receive(bench, "receive", feeds.updates(count), count)


def full_table(bench: Bench) -> list[Result]:
    """Receive a real full table."""
    stream, prefixes = feeds.full_table(step=bench.amount(18, 1))
    return _receive(bench, "full-table", stream, prefixes)


def _receive(bench: Bench, name: str, stream: bytes, prefixes: int) -> list[Result]:
    place = bench.directory
    (place / "feed").write_bytes(stream)
    setup = Setup(place, new_port(), helper=program("counter", place, str(prefixes)), receive=True)
    sink = bench.sink(setup.port, feed=place / "feed")
    with bench.running(setup, sink):
        sink.wait_established(60)
        start = sink.go()
        end, count, octets, verified, wrong = result_of(place, "result", LIMIT)
        if wrong or not verified:
            raise ValueError(f"{wrong:.0f} of {verified:.0f} lines that were checked are wrong, none may be")
    details = {"octets": octets, "verified": verified}
    return [Result(name, count / (end - start), "prefixes/s", int(count), details)]

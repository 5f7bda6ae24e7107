"""Workloads in which the peer sends and a helper reads JSON."""

from __future__ import annotations

import time

from tests.routers.process import wait_for
from tools.bench import feeds, speakers
from tools.bench.speakers import Setup
from tools.bench.work import LIMIT, Bench, Result, new_port, program, result_of


def receive(bench: Bench) -> list[Result]:
    """Receive prefixes, five in an UPDATE."""
    count = bench.amount(25_000, 200_000)
    return _receive(bench, "receive", feeds.updates(count), count)


def full_table(bench: Bench) -> list[Result]:
    """Receive a real full table."""
    stream, count = feeds.full_table(step=bench.amount(18, 1))
    return _receive(bench, "full-table", stream, count)


def _receive(bench: Bench, name: str, stream: bytes, count: int) -> list[Result]:
    place = bench.directory
    (place / "feed").write_bytes(stream)
    if bench.kind in ("bird", "gobgp"):
        return [_into_table(bench, name, count)]
    setup = Setup(place, new_port(), helper=program("counter", place, str(count)), receive=True)
    sink = bench.sink(setup.port, feed=place / "feed")
    with bench.running(setup, sink):
        sink.wait_established(60)
        wait_for((place / "ready").exists, 60, "the helper")
        start = sink.go()
        end, read, octets, verified, wrong = result_of(place, "result", LIMIT)
        if wrong or not verified:
            raise ValueError(f"{wrong:.0f} of {verified:.0f} lines that were checked are wrong, none may be")
    details = {"octets": octets, "verified": verified}
    return [Result(name, read / (end - start), "prefixes/s", int(read), details)]


def _into_table(bench: Bench, name: str, count: int) -> Result:
    """Receive into the speaker's own table: BIRD and GoBGP have no helpers that would read JSON."""
    place = bench.directory
    setup = Setup(place, new_port(), receive=True, api_port=new_port())
    sink = bench.sink(setup.port, feed=place / "feed", nudge=False)
    with bench.running(setup, sink):
        sink.wait_established(60)
        start = sink.go()
        wait_for(lambda: speakers.held(bench.kind, setup) >= count or None, LIMIT, f"{count} routes in its table", 0.1)
        return Result(name, count / (time.monotonic() - start), "prefixes/s", count)

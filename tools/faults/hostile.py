"""The scorecard's hostile peers and helpers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from tests.faults.helpers import Misbehaviour, misbehave, prefixes
from tests.faults.tables import both_ways, cut
from tests.faults.vectors import faults_of, play, read_cases
from tests.shared import ROOT
from tools.faults.rows import Options, Row

SHARED = ROOT.parent / "shared"
MODES: dict[str, tuple[object, ...]] = {
    "nobody": (),
    "never-reads": ("never-reads", 40_000),
    "reads-slowly": ("reads-slowly",),
    "long-line": ("long-line", 100),
    "not-text": ("not-text",),
    "closes-stdin": ("closes-stdin",),
    "closes-stdout": ("closes-stdout",),
    "exits-at-once": ("exits-at-once",),
    "ignores-term": ("ignores-term", "pids"),
    "forks": ("forks", "pids"),
    "writes-to-stderr": ("writes-to-stderr",),
}
FLOOD, ROUNDS = 1_000_000, 10
FED = 40_000
LAST = bytes((32, 22, 255, 255, 255))


def vectors(directory: Path, _options: Options) -> Iterator[Row]:
    """Play the corpus."""
    cases = read_cases(SHARED / "vectors" / "vectors.jsonl")
    played = play(directory, cases)
    wrong = [case["name"] for case in cases if faults_of(case, played.verdicts.get(case["name"]))]
    restarted = played.daemons_before != played.daemons_after
    yield "cases that end as the corpus says", f"{len(cases) - len(wrong)} of {len(cases)}" + " WRONG" * bool(wrong)
    yield "seconds for all", f"{played.seconds:.1f}"
    yield "processes that died", "some WRONG" if restarted else "none"
    for name in wrong:
        yield "  wrong", name


def helpers(directory: Path, _options: Options) -> Iterator[Row]:
    """Run each kind of hostile helper beside a good one."""
    for name, words in MODES.items():
        own = directory / name
        own.mkdir()
        own.chmod(0o777)  # a helper that runs as another user leaves process ids there
        words = tuple(own / "pids" if word == "pids" else word for word in words)
        hostile = {name: words} if words else {}
        expected = prefixes(20, 40_000) if name == "never-reads" else set()
        yield name, figures(misbehave(own, hostile, expected, fed=FED), name, expected)


def flood(directory: Path, options: Options) -> Iterator[Row]:
    """Let a helper write ten million lines, of a million routes."""
    rounds = 1 if options.short else ROUNDS
    expected = prefixes(22, FLOOD) | {LAST}
    words = ("floods", FLOOD, rounds)
    result = misbehave(directory, {"floods": words}, expected, seconds=600)
    yield f"{FLOOD * rounds} lines", figures(result, "floods", expected)
    yield "lines a second, until the peer had the last", f"{FLOOD * rounds / result.seconds:,.0f}"


def figures(result: Misbehaviour, name: str, expected: set[bytes]) -> str:
    """Say in one line what the others noticed."""
    milliseconds = [result.percentile(share) * 1000 for share in (0.5, 0.99, 1.0)]
    text = "others' commands p50 {:.1f} p99 {:.1f} max {:.1f} ms".format(*milliseconds)
    text += f" (n={len(result.latencies)}), silence at most {result.longest_silence:.2f} s"
    memory = result.memory
    peerd = max((size for key, size in memory.items() if key.startswith("peerd")), default=0)
    text += f", MiB: its bridge {memory.get(f'helper-{name}', 0)}, peerd {peerd}, ribd {memory.get('ribd', 0)}"
    missing = len(expected - result.held)
    if result.session_ended or missing or result.pids_before != result.pids_after:
        text += f" WRONG: session {result.session_ended or 'up'}, {missing} routes missing"
    return text


def tables(directory: Path, _options: Options) -> Iterator[Row]:
    """Send a full table both ways with ribd stopped for 10 s on a session with hold time 3."""
    feed = cut(gzip.decompress((SHARED / "mrt" / "pch-2015-10-23-fulltable.bgp.gz").read_bytes()))
    result = both_ways(directory, feed, 100_000, 10.0)
    yield "session", f"WRONG: {result.ended}" if result.ended else f"up, {result.sessions} established in all"
    yield "silence at most", f"{result.longest_silence:.2f} s of the hold time of 3 s"
    yield "routes of 100,000 that did not arrive", str(result.missing) + " WRONG" * bool(result.missing)
    yield "largest resident sizes", ", ".join(f"{name} {size} MiB" for name, size in sorted(result.memory.items()))

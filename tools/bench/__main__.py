"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.routers.process import MissingProgram
from tools.bench import announce, feeds, growth, plot, receive, report, speakers, starting, steady, wide
from tools.bench.sink import compile_sink
from tools.bench.work import Bench, Result, Workload, new_directory

BOTH = ("bgpbus", "exabgp")
SPEAKERS = ("bgpbus", "exabgp", "gobgp", "bird")
WITH_BIRD = (*BOTH, "bird")

WORKLOADS: dict[str, tuple[Workload, tuple[str, ...]]] = {
    "announce": (announce.announce, (*BOTH, "gobgp")),
    "communities": (announce.communities, BOTH),
    "ipv6": (announce.ipv6, BOTH),
    "feed": (announce.real_feed, BOTH),
    "flow": (announce.flow, BOTH),
    "neighbors-20": (announce.neighbors_20, BOTH),
    "receive": (receive.receive, SPEAKERS),
    "full-table": (receive.full_table, BOTH),
    "latency": (steady.latency, BOTH),
    "bare-way": (steady.bare_way, ("bgpbus",)),
    "idle": (steady.idle, BOTH),
    "idle-100": (wide.idle_100, ("bgpbus",)),
    "static-20k": (starting.static_20k, WITH_BIRD),
    "static-100k": (starting.static_100k, ("bgpbus", "bird")),
    "neighbors-100": (starting.neighbors_100, WITH_BIRD),
    "neighbors-100x10k": (wide.neighbors_100_10k, ("bgpbus",)),
    "neighbors-1000": (wide.neighbors_1000, ("bgpbus",)),
    "passive-1000": (wide.passive_1000, ("bgpbus",)),
    "reset": (wide.reset, BOTH),
    "growth-routes": (growth.routes, ("bgpbus",)),
    "growth-neighbors": (growth.neighbors, ("bgpbus",)),
}
NEEDS = {"feed": feeds.AS4777, "full-table": feeds.PCH}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 1 where something failed."""
    options = _parser().parse_args(arguments)
    wanted = [name for name in WORKLOADS if not options.only or any(word in name for word in options.only)]
    versions = speakers.versions(options.speakers)
    for kind in set(options.speakers) - versions.keys():
        print(f"{kind} is not installed: left out", file=sys.stderr)
    runs = options.runs or (1 if options.short else 3)
    speakers.compile_checkout()
    results: dict[str, list[Result]] = defaultdict(list)
    failures: list[str] = []
    root = Path(tempfile.mkdtemp(prefix="bench", dir="/tmp"))
    try:
        sink = compile_sink(root)
        for name in wanted:
            workload, kinds = WORKLOADS[name]
            if (needed := NEEDS.get(name)) and not needed.exists():
                print(f"{name}: left out, {needed} is missing", file=sys.stderr)
                continue
            for kind in [kind for kind in versions if kind in kinds]:
                for _ in range(runs):
                    bench = Bench(kind, new_directory(root), sink, options.short)
                    _one(name, workload, bench, results, failures)
                    shutil.rmtree(bench.directory, ignore_errors=True)
    except MissingProgram as missing:
        print(f"the sink cannot be compiled: {missing}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(root, ignore_errors=True)
    shown = [kind for kind in SPEAKERS if kind in versions]
    if any(results.values()):
        sys.stderr.flush()
        print(f"{', '.join(f'{kind}: {version}' for kind, version in versions.items())}; median of {runs}")
        print(report.table(results, shown))
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    if options.json:
        report.write_json(options.json, results, versions, failures)
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        for picture in plot.growth(report.points(results, "bgpbus"), options.plots):
            print(f"drawn: {picture}", file=sys.stderr)
    return bool(failures)


def _one(name: str, workload: Workload, bench: Bench, results: dict[str, list[Result]], failures: list[str]) -> None:
    """Run one workload once, and say how it went."""
    try:
        found = workload(bench)
    except (OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as error:
        failures.append(f"{name} with {bench.kind}: {type(error).__name__}: {error}")
        print(f"  {bench.kind:8} {name}: failed", file=sys.stderr)
        return
    results[bench.kind] += found
    said = ", ".join(f"{result.name} {result.value:,.2f} {result.unit}" for result in found)
    print(f"  {bench.kind:8} {said}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description="Measure the speaker beside ExaBGP, GoBGP and BIRD; the peer only counts. "
        "ExaBGP and GoBGP get fewer routes, because they are slow: the number in brackets says how many.",
    )
    parser.add_argument("--short", action="store_true", help="one run of each, and less of some: some four minutes")
    parser.add_argument("--only", action="append", metavar="NAME", help=f"of: {', '.join(WORKLOADS)}")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each, of which the median counts (3; short: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run to FILE")
    parser.add_argument("--plots", type=Path, metavar="DIRECTORY", help="draw what grows, as SVG")
    parser.add_argument("--speakers", type=lambda text: text.split(","), default=list(SPEAKERS), metavar="A,B")
    return parser


if __name__ == "__main__":
    sys.exit(main())

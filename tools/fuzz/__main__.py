"""The command line of the fuzzer."""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from time import monotonic

from tools.fuzz.corpus import Corpus
from tools.fuzz.judge import Finding, confirm, judge, shrink
from tools.fuzz.targets import TARGETS

REPORT_SECONDS = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the time is over; return 1 where something was found."""
    options = _parser().parse_args(arguments)
    seconds = options.minutes * 60 if options.minutes else options.seconds
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}, {seconds:g} seconds", file=sys.stderr)
    findings = run(random.Random(seed), seconds, options.only or list(TARGETS))
    for finding in findings:
        print(finding.row())
    return bool(findings)


def run(source: random.Random, seconds: float, names: Sequence[str]) -> list[Finding]:
    """Make inputs and judge them; one finding of each cause is kept, and made small."""
    corpus = Corpus()
    counts: Counter[str] = Counter()
    found: dict[tuple[str, str, str], Finding] = {}
    began = said = monotonic()
    order = cycle([name for name in names for _ in range(TARGETS[name].share)])
    for name in order:
        data = TARGETS[name].make(source, corpus)
        counts[name] += 1
        finding = judge(name, data)
        if finding is not None and finding.identity not in found and (finding.place or confirm(finding)):
            found[finding.identity] = shrink(finding)
            print(f"{name}: {finding.error} at {finding.place}", file=sys.stderr)
        now = monotonic()
        if now - said >= REPORT_SECONDS:
            said = now
            print(f"{now - began:.0f} s: {counts.total()} inputs, {len(found)} findings", file=sys.stderr)
        if now - began >= seconds:
            break
    print(", ".join(f"{name} {count}" for name, count in counts.items()), file=sys.stderr)
    return list(found.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.fuzz",
        description="Damage octets and text, and feed them to all that reads them. Findings are printed as rows for "
        "tests/golden/findings.jsonl, where a test keeps them from coming back.",
    )
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="how long to run (60)")
    parser.add_argument("--minutes", type=float, metavar="N", help="the same in minutes")
    parser.add_argument("--seed", type=int, metavar="N", help="repeat a run")
    parser.add_argument("--only", action="append", choices=list(TARGETS), help="run this target alone, or several")
    return parser


if __name__ == "__main__":
    sys.exit(main())

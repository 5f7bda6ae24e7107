"""The long form: `python -m tools.differential [--family FAMILY …] [--seed N] [--count N] [--port N]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tools.differential.compare import Difference, answer_differences, differences
from tools.differential.generate import FAMILIES, cases
from tools.differential.run import Plan, Result, run


def both(plan: Plan, ports: Sequence[int]) -> tuple[Result, Result]:
    """Run ExaBGP and ourselves at the same time; what each did."""
    with ThreadPoolExecutor(2) as pool:
        theirs, ours = (
            pool.submit(run, kind, plan, port) for kind, port in zip(("exabgp", "bgpbus"), ports, strict=True)
        )
        return theirs.result(), ours.result()


def compare(plan: Plan, ports: Sequence[int], order: bool = False) -> list[Difference]:
    """Return all differences; of the messages' order only where it is asked for."""
    theirs, ours = both(plan, ports)
    found: Iterable[Difference] = (*differences(plan.cases, theirs, ours), *answer_differences(theirs, ours))
    return [each for each in found if order or each.kind != "order"]


def main() -> int:
    """Compare family by family; the exit status is 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.differential", description=__doc__)
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=600, help="routes in each family")
    parser.add_argument("--port", type=int, default=24100)
    options = parser.parse_args()
    failed = 0
    for number, family in enumerate(options.family or FAMILIES):
        plan = Plan(cases(family, options.seed, options.count))
        found = compare(plan, (options.port + 2 * number, options.port + 2 * number + 1))
        for difference in found:
            print(difference)
        print(f"{family}: {len(found)} differences seed={options.seed}", flush=True)
        failed += len(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

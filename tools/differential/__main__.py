"""The long form: `python -m tools.differential [--family FAMILY …] [--forms] [--seed N] [--count N] [--port N]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bgp.message import MessageType
from tools.differential.compare import ORDER, Difference, answer_differences, differences
from tools.differential.forms import form_case
from tools.differential.generate import FAMILIES, cases
from tools.differential.received import received_cases, received_count, received_differences
from tools.differential.run import Plan, Result, run

END_OF_RIB = 30  # octets: an UPDATE of at most this size is a marker
FORM_PARTS = 4  # runs that the forms are spread over


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
    return [each for each in found if order or each.kind != ORDER]


def compare_forms(ports: Sequence[int], step: int = 1, first: int = 0) -> tuple[list[Difference], int]:
    """Give forms of every word to both, then all that ExaBGP sent as UPDATEs to both; differences and a count.

    The count is of the messages whose JSON was compared. ports: two for each of the two runs.
    """
    case = form_case(step, first)
    theirs, ours = both(Plan([case], quiet=2.0), ports[:2])
    found = [each for each in differences([case], theirs, ours) if each.kind != ORDER]
    found += answer_differences(theirs, ours)
    sent = [message for each in theirs.connections[case.name] for message in each.messages]
    updates = list(dict.fromkeys(each for each in sent if each[18] == MessageType.UPDATE and len(each) > END_OF_RIB))
    theirs, ours = both(Plan(received_cases(updates), encoder="json", quiet=2.0), ports[2:])
    found += received_differences(updates, theirs, ours)
    return found, received_count(theirs)


def main() -> int:
    """Compare family by family; the exit status is 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.differential", description=__doc__)
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES))
    parser.add_argument("--forms", action="store_true", help="forms of every word instead of whole families")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=600, help="routes in each family")
    parser.add_argument("--port", type=int, default=24100)
    options = parser.parse_args()
    failed = 0
    for first in range(FORM_PARTS if options.forms else 0):
        start = options.port + 4 * first
        found, count = compare_forms(range(start, start + 4), FORM_PARTS, first)
        for difference in found:
            print(difference)
        print(f"forms {first + 1} of {FORM_PARTS}: {len(found)} differences, {count} messages received", flush=True)
        failed += len(found)
    if options.forms:
        return 1 if failed else 0
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

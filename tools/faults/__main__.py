"""Run the longer forms of tests/faults and print one scorecard: `python -m tools.faults [--short] [--only PART]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.faults.kills import VICTIMS
from tools.faults.deaths import kills, million
from tools.faults.hostile import flood, helpers, tables, vectors
from tools.faults.rows import Options, Row
from tools.faults.suites import suites

PARTS: dict[str, Callable[[Path, Options], Iterator[Row]]] = {
    "vectors": vectors,
    "helpers": helpers,
    "flood": flood,
    "tables": tables,
    "suites": suites,
    "million": million,
    "kills": kills,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 where something was lost, died, or took too long."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the flood and of the kills")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="measure only this part; again for more")
    parser.add_argument("--victim", action="append", choices=VICTIMS, help="kill only this one")
    parser.add_argument("--seed", type=int, default=1, help="of everything that happens at random (1)")
    given = parser.parse_args(arguments)
    options = Options(given.short, given.seed, tuple(given.victim or ()))
    os.environ.setdefault("BGPBUS_TEST_PORTS", "23000-23999")
    print(f"seed {options.seed}; {platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    print(time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
    good = True
    for name in given.only or PARTS:
        print(f"\n{name}")
        with tempfile.TemporaryDirectory(prefix="bf", dir="/tmp") as directory:
            for what, figure in PARTS[name](Path(directory), options):
                print(f"  {what:44} {figure}", flush=True)
                good = good and "WRONG" not in figure
    return not good


if __name__ == "__main__":
    sys.exit(main())

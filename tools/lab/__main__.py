"""Run the lab router: `python -m tools.lab --listen 127.0.0.2:1790 --as 65002 --announce 203.0.113.0/24`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from tools.lab.router import LabRouter
from tools.lab.session import read_announcement

TURN = 0.25  # seconds after which a signal is noticed at the latest


def say(text: str) -> None:
    """Print a line with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Wait for BGP sessions and say what comes and goes, until a signal."""
    options = _parser().parse_args(arguments)
    address, _, port = options.listen.rpartition(":")
    try:
        routes = tuple(entry for text in options.announce for entry in read_announcement(text))
        router = LabRouter(address.strip("[]"), int(port), options.local_as, routes, say)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    say(f"listening on {router.address} port {router.port}, AS {options.local_as}")
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: signals.append(number))
    while not signals:
        router.turn(TURN)
    router.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.lab",
        description="A BGP router on loopback that accepts sessions from anybody and prints what comes and goes.",
    )
    parser.add_argument(
        "--listen", default="127.0.0.2:1790", metavar="ADDRESS:PORT", help="any free port where it is taken"
    )
    parser.add_argument("--as", dest="local_as", type=int, default=65002, metavar="N", help="its AS number (65002)")
    parser.add_argument(
        "--announce",
        nargs="+",
        action="extend",
        default=[],
        metavar="ROUTE",
        help="what to announce: a prefix, or in quotes a prefix with attributes as after `announce route`",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

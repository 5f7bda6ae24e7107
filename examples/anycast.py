#!/usr/bin/env python3
"""Announce a prefix while a TCP service answers: anycast.py PREFIX HOST PORT.

Three good checks in a row announce it, three bad ones withdraw it. Without an answer to a command within ten seconds
the helper ends, and is started again.
"""

import select
import socket
import sys
import time

INTERVAL = 2.0  # seconds between checks
TIMEOUT = 1.0  # seconds for one check
IN_A_ROW = 3


def answers(host, port):
    """Whether something accepts a connection."""
    try:
        with socket.create_connection((host, port), TIMEOUT):
            return True
    except OSError:
        return False


def command(line):
    """Give a command and wait for its answer."""
    print(line, flush=True)
    ready, _, _ = select.select([sys.stdin], [], [], 10.0)
    answer = sys.stdin.readline().strip() if ready else "nothing"
    if answer != "done":
        sys.exit(f"{line}: answered by {answer or 'the end of the daemon'}")
    print(line, file=sys.stderr, flush=True)


def main():
    """Check for ever."""
    prefix, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    announced, against = None, 0  # what was said last (nothing yet), and how many checks in a row said otherwise
    while True:
        up = answers(host, port)
        against = against + 1 if up != announced else 0
        if against >= IN_A_ROW:
            # A route that a former run of this helper announced is still there: withdrawing says so in any case.
            command(f"announce route {prefix} next-hop self" if up else f"withdraw route {prefix} next-hop self")
            announced, against = up, 0
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Keep FlowSpec rules in step with a file of IPv4 prefixes to block: flowspec.py FILE."""

import ipaddress
import re
import sys
import time
from pathlib import Path

INTERVAL = 1.0  # seconds between looks at the file


def wanted(path):
    """Return the prefixes in the file; lines that are none are reported and left out."""
    found = set()
    for line in path.read_text().splitlines() if path.exists() else ():
        text = line.partition("#")[0].strip()
        try:
            if text:
                found.add(str(ipaddress.IPv4Network(text)))
        except ValueError as error:
            print(f"{path}: {error}", file=sys.stderr, flush=True)
    return found


def rule(source):
    """Return the rule that blocks a source."""
    return f"flow route {{ match {{ source {source}; }} then {{ discard; }} }}"


def command(line):
    """Give a command and read its answer."""
    print(line, flush=True)
    answer = sys.stdin.readline().strip()
    if answer != "done":
        sys.exit(f"{line}: answered by {answer or 'the end of the daemon'}")


def announced():
    """Return the sources that are blocked already: rules outlive the helper that announced them."""
    print("show adj-rib out", flush=True)
    found = set()
    for line in sys.stdin:
        if line.strip() in ("done", "error"):
            break
        if match := re.search(r"ipv4 flow flow source-ipv4 (\S+)$", line.strip()):
            found.add(match[1])
    return found


def main():
    """Compare for ever."""
    path, active = Path(sys.argv[1]), announced()
    while True:
        now = wanted(path)
        for source in sorted(now - active):
            command(f"announce {rule(source)}")
        for source in sorted(active - now):
            command(f"withdraw {rule(source)}")
        active = now
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main()

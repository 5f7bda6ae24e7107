"""Helper of the benchmarks: counts the prefixes in the JSON that it reads, and verifies some of the lines.

usage: counter.py DIRECTORY GOAL

DIRECTORY/ready is there once it reads. Once GOAL prefixes were read, DIRECTORY/result says: time (CLOCK_MONOTONIC,
seconds), prefixes, octets, verified lines, and how many of those were no JSON or held another number of prefixes than
the octets suggest.
"""

import json
import os
import sys
import time

MARK = b'"nlri"'
EVERY = 40


def main(directory: str, goal: float) -> None:
    """Count until the speaker closes stdin."""
    count = octets = reads = verified = wrong = 0
    tail = sample = b""
    open(f"{directory}/ready", "w").close()
    while data := os.read(0, 1 << 20):
        octets += len(data)
        count += data.count(MARK) + (tail + data[:5]).count(MARK)
        tail = (tail + data[-5:])[-5:]
        reads += 1
        if sample or reads % EVERY == 1:
            sample += data
            if line := whole_line(sample):
                verified += 1
                wrong += not is_right(line)
                sample = b""
        if count >= goal:
            outcome = (time.monotonic(), count, octets, verified, wrong)
            with open(f"{directory}/result.tmp", "w") as file:
                file.write(" ".join(map(str, outcome)))
            os.rename(f"{directory}/result.tmp", f"{directory}/result")
            goal = float("inf")


def whole_line(data: bytes) -> bytes:
    """Return the first line of `data` that is surely whole, or nothing."""
    start = data.find(b"\n") + 1
    return data[start : data.find(b"\n", start)] if data.count(b"\n") > 1 else b""


def is_right(line: bytes) -> bool:
    """Tell whether a line is JSON with as many prefixes as it has marks."""
    try:
        event = json.loads(line)
    except ValueError:
        return False
    update = event.get("neighbor", {}).get("message", {}).get("update", {})
    announced = [
        entry for hops in update.get("announce", {}).values() for entries in hops.values() for entry in entries
    ]
    withdrawn = [entry for entries in update.get("withdraw", {}).values() for entry in entries]
    return len(announced) + len(withdrawn) == line.count(MARK)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

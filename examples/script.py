#!/usr/bin/env python3
"""Say the lines of a file, one after the other: script.py FILE. A line `sleep SECONDS` waits, # begins a comment."""

import sys
import time


def main():
    """Say everything, then stay until the daemon ends: whoever leaves is started again, and begins anew."""
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words[:1] == ["sleep"]:
                time.sleep(float(words[1]))
            elif words:
                print(*words, flush=True)
    for _answer in sys.stdin:
        pass


if __name__ == "__main__":
    main()

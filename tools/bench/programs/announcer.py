"""Helper of the benchmarks: writes files of commands as fast as the speaker reads, and counts its answers.

usage: announcer.py DIRECTORY

A character on the FIFO DIRECTORY/go starts the next phase: DIRECTORY/lines.0, then lines.1 and so on. When every line
is answered, DIRECTORY/result.N says: start, end of writing, last answer (CLOCK_MONOTONIC, seconds), answers, errors.
"""

import os
import select
import sys
import time


def main(directory: str) -> None:
    """Wait and work until the speaker closes stdin."""
    go = os.open(f"{directory}/go", os.O_RDWR)
    os.set_blocking(1, False)
    phase = 0
    while True:
        ready, _, _ = select.select([0, go], [], [])
        if 0 in ready and not os.read(0, 1 << 20):
            return
        if go in ready:
            os.read(go, 1)
            with open(f"{directory}/lines.{phase}", "rb") as file:
                outcome = send(file.read())
            with open(f"{directory}/result.tmp", "w") as file:
                file.write(" ".join(map(str, outcome)))
            os.rename(f"{directory}/result.tmp", f"{directory}/result.{phase}")
            phase += 1


def send(data: bytes) -> tuple[float, float, float, int, int]:
    """Write `data` while reading the answers; return (start, written, answered, answers, errors)."""
    lines, view = data.count(b"\n"), memoryview(data)
    at = answers = errors = 0
    written, tail = 0.0, b""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(1, select.POLLOUT)
    start = time.monotonic()
    while answers < lines:
        for descriptor, _ in poll.poll():
            if descriptor == 1:
                at += os.write(1, view[at : at + 65536])
                if at == len(data):
                    written = time.monotonic()
                    poll.unregister(1)
            else:
                got = os.read(0, 65536)
                if not got:
                    sys.exit(1)
                answers += got.count(b"\n")
                got = tail + got
                errors += got.count(b"error\n")
                tail = got[-5:]
    return start, written, time.monotonic(), answers, errors


if __name__ == "__main__":
    main(sys.argv[1])

"""usage: flow.py DIRECTORY RATE LAG. Say RATE commands a second for ever: a sequence that only its numbers determine.

The first LAG commands announce a route each; after them, every second one withdraws the oldest route that is left. How
many were answered, and how many were said, is kept in DIRECTORY/state, which outlives us: in its next life the helper
goes on with the first command that was not answered. DIRECTORY/until holds the number of commands to stop at.
"""

import os
import select
import struct
import sys
import time
from collections import deque

STATE = struct.Struct("!QQQ")  # answered, said, the longest wait for an answer (microseconds)
OUTSTANDING = 4000  # commands that may wait for their answers
TICK = 0.005  # seconds


def announced(commands: int, lag: int) -> int:
    """Return how many routes the first commands announce: those from 0 on."""
    return min(commands, lag) + (max(0, commands - lag) + 1) // 2


def withdrawn(commands: int, lag: int) -> int:
    """Return how many routes the first commands withdraw: those from 0 on."""
    return max(0, commands - lag) // 2


def command(number: int, lag: int) -> bytes:
    """Return the command of a number."""
    if number < lag or (number - lag) % 2 == 0:
        word, route = b"announce", announced(number, lag)
    else:
        word, route = b"withdraw", withdrawn(number, lag)
    return b"%b route 10.%d.%d.%d/32 next-hop 192.0.2.1\n" % (word, route >> 16, route >> 8 & 255, route & 255)


def write(octets: bytes) -> None:
    """Write all of it to stdout."""
    while octets:
        octets = octets[os.write(1, octets) :]


def main(directory: str, rate: int, lag: int) -> None:
    """Say commands and count answers until stdin closes."""
    state = os.open(f"{directory}/state", os.O_RDWR | os.O_CREAT, 0o644)
    unexpected, lives = (
        os.open(f"{directory}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for name in ("unexpected", "lives")
    )
    answered, said_before, longest = STATE.unpack(os.pread(state, STATE.size, 0) or bytes(STATE.size))
    os.write(lives, STATE.pack(answered, said_before, longest))
    first, said, began, until, rest = answered, answered, time.monotonic(), 0, b""
    moments: deque[tuple[int, float]] = deque()  # how many were said by when
    while True:
        if select.select([0], [], [], TICK)[0]:
            data = os.read(0, 1 << 20)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            others = [line for line in lines if line != b"done"]
            answered += len(lines) - len(others)
            if answered > said:
                others.append(b"%d answers to %d commands" % (answered, said))
            os.write(unexpected, b"".join(line + b"\n" for line in others))
        now = time.monotonic()
        while moments and moments[0][0] <= answered:
            longest = max(longest, int((now - moments.popleft()[1]) * 1e6))
        if not until and os.path.exists(f"{directory}/until"):
            with open(f"{directory}/until") as file:
                until = int(file.read() or 0)
        due = min(first + int((now - began) * rate), answered + OUTSTANDING, until or sys.maxsize)
        # Noted before they are said: what was said and not noted would be taken for something new.
        os.pwrite(state, STATE.pack(answered, max(due, said, said_before), longest), 0)
        if due > said:
            write(b"".join(command(number, lag) for number in range(said, due)))
            said = due
            moments.append((said, now))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

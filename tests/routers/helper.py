"""The helper program of the tests: commands come from a FIFO, all that arrives on stdin goes to a file.

usage: helper.py DIRECTORY, with DIRECTORY/commands (a FIFO) and DIRECTORY/lines
"""

import os
import select
import sys


def main(directory: str) -> None:
    """Copy until the speaker closes stdin."""
    commands = os.open(f"{directory}/commands", os.O_RDWR)
    lines = os.open(f"{directory}/lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    while True:
        ready, _, _ = select.select([0, commands], [], [])
        if 0 in ready:
            data = os.read(0, 1 << 20)
            if not data:
                return
            write(lines, data)
        if commands in ready:
            write(1, os.read(commands, 1 << 16))


def write(descriptor: int, data: bytes) -> None:
    """Write all of it."""
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main(sys.argv[1])

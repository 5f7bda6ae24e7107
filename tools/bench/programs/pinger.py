"""Helper of the benchmarks: announces single routes, half of them after a pause, and notes when it wrote each.

usage: pinger.py DIRECTORY SAMPLES

Starts at a character on the FIFO DIRECTORY/go; DIRECTORY/result has one CLOCK_MONOTONIC time in seconds per line.
"""

import os
import sys
import time

PAUSE = 0.01


def main(directory: str, samples: int) -> None:
    """Announce `samples` routes, each after the answer to the one before, then wait for the end of stdin.

    In the first half it lets everything fall asleep before each; in the second, it goes on at once.
    """
    go = os.open(f"{directory}/go", os.O_RDWR)
    os.read(go, 1)
    times = []
    for number in range(samples):
        line = b"announce route 10.%d.%d.0/24 next-hop 192.0.2.1\n" % (number >> 8, number & 255)
        times.append(time.monotonic())
        os.write(1, line)
        os.read(0, 65536)
        if number < samples // 2:
            time.sleep(PAUSE)
    with open(f"{directory}/result.tmp", "w") as file:
        file.write("\n".join(map(str, times)))
    os.rename(f"{directory}/result.tmp", f"{directory}/result")
    while os.read(0, 65536):
        pass


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

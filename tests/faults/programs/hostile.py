"""A helper that does what no helper should: usage: hostile.py MODE [ARGUMENT…]."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

FOR_EVER = 3600


def write(octets: bytes) -> None:
    """Write all of it to stdout."""
    while octets:
        octets = octets[os.write(1, octets) :]


def announce(first: int, count: int, tail: bytes = b"") -> None:
    """Announce `count` routes below FIRST.0.0.0/8, waiting for nothing."""
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        write(
            b"".join(
                b"announce route %d.%d.%d.%d/32 next-hop 10.0.0.9%b\n"
                % (first, n >> 16 & 255, n >> 8 & 255, n & 255, tail)
                for n in numbers
            )
        )


def never_reads(count: str) -> None:
    announce(20, int(count))
    time.sleep(FOR_EVER)


def reads_late(signal_file: str, record: str) -> None:
    while not os.path.exists(signal_file):
        time.sleep(0.05)
    descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    while data := os.read(0, 1 << 20):
        os.write(descriptor, data)


def reads_slowly() -> None:
    while True:
        write(b"announce route 21.0.0.1/32 next-hop 10.0.0.9\nannounce route 21.0.0.2/32 next-hop 10.0.0.9\n")
        os.read(0, 60)
        time.sleep(1)


def floods(count: str, rounds: str = "1") -> None:
    """Announce COUNT routes ROUNDS times, each time with another MED, and then one more."""
    for number in range(int(rounds)):
        announce(22, int(count), b" med %d" % number)
    write(b"announce route 22.255.255.255/32 next-hop 10.0.0.9\n")
    time.sleep(FOR_EVER)


def long_line(mebibytes: str) -> None:
    for _ in range(int(mebibytes)):
        write(b"x" * 1024 * 1024)
    write(b"\nannounce route 23.0.0.1/32 next-hop 10.0.0.9\n")
    time.sleep(FOR_EVER)


def not_text() -> None:
    write(b"announce route 24.0.0.1/32\0next-hop 10.0.0.9\n")
    write(b"announce \xff\xfe\x80 route 24.0.0.2/32 next-hop 10.0.0.9\n" + b"\0" * 100_000 + b"\n")
    write(bytes(range(256)) * 100 + b"\n")
    write(b"announce route 24.0.0.9/32 next-hop 10.0.0.9\n")
    time.sleep(FOR_EVER)


def closes_stdin() -> None:
    os.close(0)
    write(b"announce route 25.0.0.1/32 next-hop 10.0.0.9\n")
    time.sleep(FOR_EVER)


def closes_stdout() -> None:
    write(b"announce route 26.0.0.1/32 next-hop 10.0.0.9\n")
    os.close(1)
    while os.read(0, 65536):
        pass
    time.sleep(FOR_EVER)


def exits_at_once() -> None:
    sys.exit(7)


def ignores_term(file: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(file, "w") as output:
        output.write(str(os.getpid()))
    while True:
        time.sleep(FOR_EVER)


def forks(file: str) -> None:
    """Leave a grandchild that holds all pipes and ignores SIGTERM, then exit."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    child = subprocess.Popen([sys.executable, "-S", "-E", "-c", code])
    with open(file, "a") as output:
        output.write(f"{child.pid}\n")
    time.sleep(0.3)


def writes_to_stderr() -> None:
    while True:
        os.write(2, b"y" * 65536)


MODES: dict[str, Callable[..., None]] = {
    "never-reads": never_reads,
    "reads-late": reads_late,
    "reads-slowly": reads_slowly,
    "floods": floods,
    "long-line": long_line,
    "not-text": not_text,
    "closes-stdin": closes_stdin,
    "closes-stdout": closes_stdout,
    "exits-at-once": exits_at_once,
    "ignores-term": ignores_term,
    "forks": forks,
    "writes-to-stderr": writes_to_stderr,
}

if __name__ == "__main__":
    MODES[sys.argv[1]](*sys.argv[2:])

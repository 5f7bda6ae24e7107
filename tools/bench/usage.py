"""What processes cost: CPU time and memory, from /proc."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from tests.routers.process import descendants


class Memory(Struct, frozen=True):
    """Memory of several processes in MiB: shared pages once for each process (rss), divided (pss), or not counted."""

    rss: float
    pss: float
    unshared: float
    processes: int


def processes_of(pid: int, without: str) -> list[int]:
    """Return `pid` and its descendants, but for those whose command line has `without` in it (the helpers)."""
    return [found for found in descendants(pid) if without.encode() not in _read(found, "cmdline")]


def processes_with(pid: int, words: str) -> list[int]:
    """Return those of `pid` and its descendants whose command line has these words in it."""
    return [found for found in descendants(pid) if words.replace(" ", "\0").encode() in _read(found, "cmdline")]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time of all threads of all processes so far."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


def cpu_share(pids: list[int], seconds: float) -> float:
    """Watch the processes for `seconds`; return their share of one core, in per cent."""
    before, start = cpu_seconds(pids), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pids) - before) / (time.monotonic() - start)


def memory(pids: list[int]) -> Memory:
    """Return the memory of the processes."""
    total: Counter[str] = Counter()
    for pid in pids:
        for line in _read(pid, "smaps_rollup").decode().splitlines():
            name, _, value = line.partition(":")
            if value.endswith(" kB"):
                total[name] += int(value.split()[0])
    unshared = total["Private_Clean"] + total["Private_Dirty"]
    return Memory(total["Rss"] / 1024, total["Pss"] / 1024, unshared / 1024, len(pids))


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""

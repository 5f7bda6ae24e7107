"""The scorecard's deaths: kill -9 of every process, and the return of ribd with a million routes."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import fields

from tests.faults.helpers import Misbehaviour, misbehave, prefixes
from tests.faults.kills import HELPER, PEERD, VICTIMS, Kills, kill
from tests.faults.product import Product
from tests.routers.process import free_port
from tools.faults.rows import Options, Row

KILLS = 100
PIECE = 20  # kills of one daemon's life
HELPERS_PIECE = 5  # a helper that dies again and again is started ever later
MILLION = 1_000_000
RETURNS = 3


def kills(directory: Path, options: Options) -> Iterator[Row]:
    """Kill every process 100 times, at random moments, under 2,000 commands a second."""
    times = KILLS // 10 if options.short else KILLS
    for victim in options.victims or VICTIMS:
        total = Kills()
        for piece, count in enumerate(_pieces(times, HELPERS_PIECE if victim == HELPER else PIECE)):
            with tempfile.TemporaryDirectory(prefix="k", dir=directory) as own:
                _add(total, kill(Path(own), {victim: count}, options.seed + piece, free_port()))
        yield f"{victim}, {times} times", _figures(victim, total)


def _pieces(times: int, size: int) -> list[int]:
    return [min(size, times - start) for start in range(0, times, size)]


def _add(total: Kills, piece: Kills) -> None:
    """Add a piece's numbers; of its times the longest counts."""
    for each in fields(Kills):
        former, value = getattr(total, each.name), getattr(piece, each.name)
        setattr(total, each.name, max(former, value) if isinstance(value, float) else former + value)


def _figures(victim: str, killed: Kills) -> str:
    zero = ("dropped", "lost", "back", "needless", "orphans", "twice")
    text = ", ".join(f"{getattr(killed, name)} {name}" for name in zero)
    text += f"; {killed.commands:,} commands, the longest wait {killed.longest_wait:.2f} s"
    if victim == PEERD:
        text += f"; the whole table {killed.slowest_table:.2f} s after the peer accepted, at most"
    return text + (f" WRONG {killed.harm}" if killed.harm else "")


def million(directory: Path, options: Options) -> Iterator[Row]:
    """Kill ribd when it has a million routes; the clock runs until a helper's next command is answered."""
    waits: list[float] = []

    def during(product: Product, _result: Misbehaviour) -> None:
        for _ in range(RETURNS):
            before = len(_latencies(directory))
            pid = product.daemons()["ribd"]
            os.kill(pid, signal.SIGKILL)
            product.wait(lambda pid=pid: product.daemons().get("ribd", pid) != pid, 30, "ribd")
            product.wait(lambda before=before: len(_latencies(directory)) > before + 20, 30, "answers")
            waits.append(max(_latencies(directory)[before:]))

    expected = prefixes(22, MILLION)
    result = misbehave(directory, {"floods": ("floods", MILLION)}, expected, during=during, seconds=120)
    wrong = result.session_ended or expected - result.held or max(waits) > 5
    yield (
        f"ribd back with {MILLION:,} routes, {RETURNS} times",
        f"a command is answered {max(waits):.2f} s after the kill at most; session {result.session_ended or 'up'}, "
        f"{len(expected - result.held)} routes missing" + " WRONG" * bool(wrong),
    )


def _latencies(directory: Path) -> list[float]:
    return [float(line) for line in (directory / "latencies").read_text().split()]

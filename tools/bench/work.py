"""What a workload gets, does and gives back."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from tests.routers.process import Process, free_port, wait_for
from tools.bench import speakers
from tools.bench.sink import Sink
from tools.bench.speakers import PROGRAMS, Setup

LIMIT = 120.0


class Result(Struct, frozen=True):
    """One number. `count` says with how many routes (or samples); `unit` is /s (more is better), s, ms, % or MiB."""

    name: str
    value: float
    unit: str
    count: int
    details: dict[str, float] = field(default_factory=dict)

    @property
    def more_is_better(self) -> bool:
        """Tell whether a greater value is the better one."""
        return self.unit.endswith("/s")


class Bench(Struct, frozen=True):
    """A run of one workload for one speaker: its directory, the sink's program, and whether to be short."""

    kind: str
    directory: Path
    sink_program: Path
    short: bool

    def amount(self, slow: int, others: int, short: int | None = None) -> int:
        """Return how much to do: ExaBGP and GoBGP get less, and the short form less again where `short` says."""
        chosen = slow if self.kind in ("exabgp", "gobgp") else others
        return min(chosen, short) if self.short and short is not None else chosen

    def anew(self) -> Bench:
        """Return the same in a directory of its own, for another run within a workload."""
        return replace(self, directory=new_directory(self.directory))

    @contextlib.contextmanager
    def running(self, setup: Setup, sink: Sink) -> Iterator[Process]:
        """Start the speaker and end it, and the sink, whatever happens."""
        process = sink.speaker = speakers.start(self.kind, setup)
        try:
            yield process
        except TimeoutError as late:
            raise TimeoutError(f"{late}\n{process.tail(12)}") from late
        finally:
            process.stop(15)
            sink.stop()

    def sink(self, port: int, **options: object) -> Sink:
        """Start a sink on `port`."""
        options = {"nudge": self.kind == "bird", "dial": self.kind == "gobgp", **options}
        return Sink.start(self.sink_program, self.directory / "sink.log", port, **options)  # type: ignore[arg-type]


Workload = Callable[[Bench], list[Result]]


def new_directory(parent: Path) -> Path:
    """Return a fresh directory with a short name."""
    return Path(tempfile.mkdtemp(prefix="b", dir=parent))


def new_port() -> int:
    """Return a port that nobody listens on."""
    return free_port()


def make_go(directory: Path) -> None:
    """Make the FIFO on which a helper waits for its start."""
    os.mkfifo(directory / "go")


def go(directory: Path) -> None:
    """Let the helper start; waits until it has opened the FIFO."""

    def opened() -> int | None:
        try:
            return os.open(directory / "go", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    descriptor = wait_for(opened, 30, "the helper to open its FIFO")
    os.write(descriptor, b"g")
    os.close(descriptor)


def result_of(directory: Path, name: str, seconds: float) -> list[float]:
    """Wait for a file that a helper writes; return its numbers."""
    path = directory / name
    wait_for(lambda: path.exists() or None, seconds, f"the helper's {path.name}")
    return [float(word) for word in path.read_text().split()]


def program(name: str, *arguments: str | Path) -> list[str | Path]:
    """Return the words that start one of the helpers in programs/."""
    return [PROGRAMS / f"{name}.py", *arguments]

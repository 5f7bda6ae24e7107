"""Compile and drive sink.c, the peer that only counts."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, field

from tests.routers.process import Process, find_program

SOURCE = Path(__file__).with_name("sink.c")


def compile_sink(directory: Path) -> Path:
    """Compile sink.c into `directory`; raises MissingProgram where there is no C compiler."""
    program = directory / "sink"
    subprocess.run([find_program("cc", "gcc", "clang"), "-O2", "-o", program, SOURCE], check=True)
    return program


class Reached(Struct, frozen=True):
    """All sessions hold `goal` prefixes: when (CLOCK_MONOTONIC), and how many UPDATEs and octets that took."""

    goal: int
    time: float
    updates: int
    octets: int


class Counted(Struct, frozen=True):
    """What all sessions were sent since the start, and the prefixes that they hold now."""

    updates: int
    octets: int
    held: int


class Sink(Struct):
    """A running sink and what it has printed so far."""

    process: Process
    reached: list[Reached] = field(default_factory=list)
    established: float | None = None
    feeding: float | None = None
    closed: list[str] = field(default_factory=list)
    counted: Counted | None = None
    speaker: Process | None = None
    _listening: bool = False
    _stamps: list[tuple[float, int]] = field(default_factory=list)
    _stamped: bool = False
    _rest: bytes = b""

    @classmethod
    def start(
        cls,
        program: Path,
        log: Path,
        port: int,
        sessions: int = 1,
        goals: tuple[int, ...] = (),
        feed: Path | None = None,
        stamp: bool = False,
        dial: bool = False,
        nudge: bool = False,
    ) -> Sink:
        """Start a sink and wait until it listens, or, where it is to `dial`, begins to."""
        arguments: list[str | Path] = [program, "--port", str(port), "--sessions", str(sessions)]
        for goal in goals:
            arguments += ["--goal", str(goal)]
        if feed:
            arguments += ["--feed", feed]
        if stamp:
            arguments.append("--stamp")
        if dial:
            arguments.append("--dial")
        if nudge:
            arguments.append("--nudge")
        sink = cls(Process(arguments, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        sink._until(lambda: sink._listening, 10, "the sink to listen")
        return sink

    def wait_established(self, seconds: float) -> float:
        """Wait until every session is up; return when that was."""
        self._until(lambda: self.established is not None, seconds, "all sessions to be established")
        assert self.established is not None
        return self.established

    def wait_reached(self, number: int, seconds: float) -> Reached:
        """Wait for the goal with this index."""
        self._until(lambda: len(self.reached) > number, seconds, f"goal {number} (reached: {self.reached})")
        return self.reached[number]

    def go(self) -> float:
        """Start feeding; return when it started."""
        self._tell("go")
        self._until(lambda: self.feeding is not None, 5, "the sink to start feeding")
        assert self.feeding is not None
        return self.feeding

    def count(self) -> Counted:
        """Ask what all sessions were sent so far."""
        self.counted = None
        self._tell("count")
        self._until(lambda: self.counted is not None, 5, "the sink's count")
        assert self.counted is not None
        return self.counted

    def stamps(self) -> list[tuple[float, int]]:
        """Ask when each UPDATE was read (CLOCK_MONOTONIC), and how many prefixes the first session held then."""
        self._stamps, self._stamped = [], False
        self._tell("stamps")
        self._until(lambda: self._stamped, 10, "the sink's stamps")
        return self._stamps

    def reset(self, seconds: float) -> float:
        """Close every session, and wait until all are up again; return when that was."""
        self.established = None
        self._tell("reset")
        return self.wait_established(seconds)

    def _tell(self, command: str) -> None:
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()

    def listen(self, seconds: float) -> None:
        """Take in what it prints for `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def stop(self) -> None:
        """End it."""
        self.process.stop()

    def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if self.speaker is not None and not self.speaker.running():
                raise ChildProcessError(f"the speaker ended while waiting for {what}\n{self.speaker.tail(12)}")
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError(f"waited {seconds:g} s for {what}; closed: {self.closed}; {self.process.tail(3)}")
            self._read(min(left, 0.5))

    def _read(self, seconds: float) -> None:
        descriptor = self.process.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], seconds)
        if not ready:
            return
        data = os.read(descriptor, 65536)
        if not data:
            raise TimeoutError(f"the sink ended: {self.process.tail(3)}")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._note(line.decode().split())

    def _note(self, words: list[str]) -> None:
        match words:
            case ["listening"]:
                self._listening = True
            case ["all-established", when]:
                self.established = float(when)
            case ["reached", goal, when, updates, octets]:
                self.reached.append(Reached(int(goal), float(when), int(updates), int(octets)))
            case ["stamp", when, held]:
                self._stamps.append((float(when), int(held)))
            case ["stamped"]:
                self._stamped = True
            case ["feeding", when]:
                self.feeding = float(when)
            case ["counted", updates, octets, held]:
                self.counted = Counted(int(updates), int(octets), int(held))
            case ["closed", *rest]:
                self.closed.append(" ".join(rest))

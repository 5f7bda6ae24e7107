"""Commands that take more than one turn of the loop: generators that yield what they wait for.

A job yields lines of its answer (a list of text), or a *step*: a function that is given a callback, starts something
and calls back once with the result, which the `yield` then returns. What a job returns is its error, empty for none.
Jobs run side by side; one whose asker does not read waits for that asker alone, with one part of its answer in hand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from bus.schema import Answer
from bus.transport import Loop

Resume = Callable[[Any], None]
Step = Callable[[Resume], None]
Job = Generator[Step | list[str], Any, str]

PART_OCTETS = 8 * 1024  # of lines in one part of an answer: what waits for an asker is counted in parts
RETRY = 0.02  # seconds until a part is sent again to an asker whose queue is full
PATIENCE = 30.0  # seconds after which an asker that takes nothing is taken for gone
MOST_JOBS = 256


class Running:
    """One job on its way."""

    __slots__ = ("generator", "identity", "last_sent", "lines", "request", "size", "waiting")

    def __init__(self, identity: bytes, request: int, generator: Job, now: float) -> None:
        self.identity, self.request, self.generator = identity, request, generator
        self.lines: list[str] = []
        self.size = 0
        self.last_sent = now
        self.waiting = 0  # counts steps, so that a callback that comes twice resumes once


class Jobs:
    """All jobs, and the way of their answers to the askers."""

    def __init__(self, loop: Loop, send: Callable[[bytes, Answer], bool], log: logging.Logger) -> None:
        self._loop, self._send, self._log = loop, send, log
        self._running: set[Running] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, identity: bytes, request: int, generator: Job) -> None:
        """Begin a job whose answer goes to `identity`."""
        if len(self._running) >= MOST_JOBS:
            generator.close()
            self._send(identity, Answer(request, [], True, f"{MOST_JOBS} commands are being carried out already"))
            return
        running = Running(identity, request, generator, self._loop.now())
        self._running.add(running)
        self._advance(running, None)

    def _advance(self, running: Running, value: Any) -> None:
        try:
            step = running.generator.send(value)
        except StopIteration as end:
            self._finish(running, end.value)
            return
        if isinstance(step, list):
            running.lines += step
            running.size += sum(map(len, step))
            self._flush(running)
            return
        running.waiting += 1
        number = running.waiting

        def resume(result: Any) -> None:
            if running.waiting == number and running in self._running:
                running.waiting += 1
                # In a turn of its own: a step that calls back at once must not make the stack grow.
                self._loop.call_soon(lambda: self._advance(running, result))

        step(resume)

    def _flush(self, running: Running) -> None:
        """Send a part if there is enough for one, then go on."""
        if running.size >= PART_OCTETS:
            if not self._send(running.identity, Answer(running.request, running.lines, False, "")):
                self._later(running, lambda: self._flush(running))
                return
            running.lines, running.size = [], 0
            running.last_sent = self._loop.now()
        self._loop.call_soon(lambda: self._advance(running, None))

    def _finish(self, running: Running, error: str) -> None:
        if self._send(running.identity, Answer(running.request, running.lines, True, error)):
            self._running.discard(running)
        else:
            self._later(running, lambda: self._finish(running, error))

    def _later(self, running: Running, again: Callable[[], None]) -> None:
        if self._loop.now() - running.last_sent > PATIENCE:
            self._log.info("answer dropped, its asker is gone request=%d", running.request)
            running.generator.close()
            self._running.discard(running)
        else:
            self._loop.call_later(RETRY, again)


def failing(error: str) -> Job:
    """Make a job that only fails."""
    yield []
    return error


def saying(*lines: str) -> Job:
    """Make a job that only says something."""
    yield list(lines)
    return ""

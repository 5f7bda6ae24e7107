"""Commands that take more than one turn of the loop: generators that yield what they wait for.

A job yields lines of its answer (a list of text), or a *step*: a function that is given a callback, starts something
and calls back once with the result, which the `yield` then returns. What a job returns is its error, empty for none.
Jobs run side by side; one whose asker does not read waits for that asker alone, with one part of its answer in hand.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from bus.loop import Loop
from bus.schema import Answer
from bus.transport import Delivery

Resume = Callable[[Any], None]
Step = Callable[[Resume], None]
Job = Generator[Step | list[str], Any, str]

PART_OCTETS = 8 * 1024  # characters in one part of an answer: what waits for an asker is counted in parts
ERROR_LENGTH = 64 * 1024  # characters of an error that an asker is told
RETRY = 0.02  # seconds until a part is sent again to an asker whose queue was full
PATIENCE = 30.0  # seconds after which an asker that takes nothing is told no more than the end
LONG_RETRY = 1.0  # seconds between attempts to tell it that: it waits for its answer, and goes on no sooner
MOST_JOBS = 256


class Running:
    """One job on its way."""

    __slots__ = ("_part", "_pieces", "generator", "identity", "last_sent", "late", "request", "size", "waiting")

    def __init__(self, identity: bytes, request: int, generator: Job, now: float) -> None:
        self.identity, self.request, self.generator = identity, request, generator
        self._pieces: deque[tuple[str, bool]] = deque()  # of lines; whether the line goes on
        self._part: Answer | None = None  # in hand, until the asker has taken it
        self.size = 0
        self.last_sent = now
        self.late = False  # given up: the asker does not read
        self.waiting = 0  # counts steps, so that a callback that comes twice resumes once

    def add(self, lines: list[str]) -> None:
        """Take lines of the answer; of one that is long, a piece at a time travels."""
        for line in lines:
            last = max(0, len(line) - 1) // PART_OCTETS
            for number in range(last):
                self._pieces.append((line[number * PART_OCTETS : (number + 1) * PART_OCTETS], True))
            self._pieces.append((line[last * PART_OCTETS :], False))
            self.size += len(line) + last + 1

    @property
    def holds_part(self) -> bool:
        """Whether there is enough for a part, or one in hand."""
        return self._part is not None or self.size >= PART_OCTETS

    def part(self) -> Answer:
        """Return the next part of the answer, the same until it was `taken`."""
        if self._part is None:
            lines, room, unfinished = [], PART_OCTETS, False
            while self._pieces and room > 0:
                line, unfinished = self._pieces.popleft()
                lines.append(line)
                room -= len(line) + 1
                if unfinished:
                    break
            self.size -= PART_OCTETS - room
            self._part = Answer(self.request, lines, False, "", unfinished)
        return self._part

    def last_part(self, error: str) -> Answer:
        """Return what is left, with the end of the answer."""
        return Answer(self.request, [line for line, _ in self._pieces], True, error[:ERROR_LENGTH])

    def cut(self) -> None:
        """Forget what is left of the answer: only its end is still to come."""
        self.generator.close()
        self._pieces.clear()
        self._part, self.size, self.late = None, 0, True

    def taken(self, now: float) -> None:
        """Note that the asker has got the part."""
        self._part, self.last_sent = None, now


class Jobs:
    """All jobs, and the way of their answers to the askers."""

    def __init__(self, loop: Loop, deliver: Callable[[bytes, Answer], Delivery], log: logging.Logger) -> None:
        self._loop, self._deliver, self._log = loop, deliver, log
        self._running: set[Running] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, identity: bytes, request: int, generator: Job) -> None:
        """Begin a job whose answer goes to `identity`."""
        if len(self._running) >= MOST_JOBS:
            generator.close()
            self._deliver(identity, Answer(request, [], True, f"{MOST_JOBS} commands are being carried out already"))
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
            running.add(step)
            self._send_parts(running, lambda: self._advance(running, None))
            return
        running.waiting += 1
        number = running.waiting

        def resume(result: Any) -> None:
            if running.waiting == number and running in self._running:
                running.waiting += 1
                # In a turn of its own: a step that calls back at once must not make the stack grow.
                self._loop.call_soon(lambda: self._advance(running, result))

        step(resume)

    def _send_parts(self, running: Running, then: Callable[[], None]) -> None:
        """Send parts, one in a turn, until there is not enough for another."""
        if running.holds_part:
            if not self._sent(running, running.part(), lambda: self._send_parts(running, then)):
                return
            running.taken(self._loop.now())
            if running.holds_part:
                self._loop.call_soon(lambda: self._send_parts(running, then))
                return
        self._loop.call_soon(then)

    def _finish(self, running: Running, error: str) -> None:
        if running.holds_part:
            self._send_parts(running, lambda: self._finish(running, error))
        elif self._sent(running, running.last_part(error), lambda: self._finish(running, error)):
            self._running.discard(running)

    def _sent(self, running: Running, answer: Answer, again: Callable[[], None]) -> bool:
        """Send, or do it `again` in a moment; of an asker that is gone nothing is left, of one that is late the end."""
        delivery = self._deliver(running.identity, answer)
        if delivery is Delivery.GONE:
            self._log.info("answer dropped, its asker is gone request=%d", running.request)
            running.generator.close()
            self._running.discard(running)
        elif delivery is Delivery.FULL and not running.late and self._loop.now() - running.last_sent > PATIENCE:
            self._log.warning("answer cut short, its asker does not read request=%d", running.request)
            running.cut()
            self._finish(running, "the answer was not read in time")
        elif delivery is Delivery.FULL:
            self._loop.call_later(LONG_RETRY if running.late else RETRY, again)
        return delivery is Delivery.QUEUED


def failing(error: str) -> Job:
    """Make a job that only fails."""
    yield []
    return error


def saying(*lines: str) -> Job:
    """Make a job that only says something."""
    yield list(lines)
    return ""

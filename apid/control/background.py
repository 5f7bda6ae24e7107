"""One worker thread for what may take long: reading configurations, talking to supervisord.

The loop never waits for it: work is queued, and its outcome is handed back inside the loop. Work is done in order.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from bus.loop import Loop

Done = Callable[[Any, Exception | None], None]
GOOD, BROKEN = b".", b"!"


class Work:
    """A piece of work and its outcome: a result, or one of the errors that it may raise."""

    __slots__ = ("_done", "_error", "_expected", "_function", "_result")

    def __init__(self, function: Callable[[], Any], expected: tuple[type[Exception], ...], done: Done) -> None:
        self._function, self._expected, self._done = function, expected, done
        self._result: Any = None
        self._error: Exception | None = None

    def perform(self) -> None:
        """Do it, in the worker's thread."""
        try:
            self._result = self._function()
        except self._expected as error:
            self._error = error

    def report(self) -> None:
        """Hand over the outcome, in the loop's thread."""
        self._done(self._result, self._error)


class Background:
    """The worker. An error that nobody expected ends the process, as it would in the loop."""

    def __init__(self, loop: Loop) -> None:
        self._todo: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        loop.watch(self._read, self._wake)
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._thread.start()

    def do(self, function: Callable[[], Any], done: Done, expected: tuple[type[Exception], ...] = ()) -> None:
        """Do `function` in the worker; `done(result, error)` runs in the loop, with an `expected` error or None."""
        self._todo.put(Work(function, expected, done))

    def _run(self) -> None:
        while (work := self._todo.get()) is not None:
            verdict = BROKEN
            try:
                work.perform()
                verdict = GOOD
            finally:
                self._finished.put(work)
                os.write(self._write, verdict)

    def _wake(self, _events: int) -> None:
        for verdict in os.read(self._read, 4096):
            work = self._finished.get()
            if verdict == BROKEN[0]:
                raise RuntimeError("the background thread has ended, see its traceback")
            work.report()

    def close(self, seconds: float) -> None:
        """Let the worker finish what it has begun, for so long at most."""
        self._todo.put(None)
        self._thread.join(seconds)

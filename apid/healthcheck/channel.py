"""Talk to the daemon: commands out on stdout, one answer for each in on stdin, and never wait for either unasked."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

from apid.healthcheck.waiting import GONE, READ, WRITE, Waiter

CHUNK = 4096  # PIPE_BUF: a pipe that is ready takes this much without blocking
READ_SIZE = 65536
LINE_LIMIT = 65536  # of what is kept of a line that does not end
PATIENCE = 10.0  # seconds for which the oldest command may go without its answer, before we expect none any more


class Channel:
    """stdin and stdout of a helper.

    `refused` is called with a command that was answered `error`. `gone` is set when nobody reads us any more,
    `closing` when the daemon says that it is about to end and so answers no more, `silent` when it never answered.
    """

    def __init__(
        self, waiter: Waiter, source: int | None, sink: int, acknowledged: bool, refused: Callable[[str], None]
    ) -> None:
        self._waiter, self._sink, self._refused = waiter, sink, refused
        self._acknowledged = acknowledged and source is not None
        self._pending = b""
        self._last: list[str] = []  # what was queued last
        self._unanswered: deque[tuple[str, float]] = deque()
        self._partial = b""
        self.gone = self.closing = self.silent = False
        waiter.watch(sink, 0, self._write)
        if source is not None:
            waiter.watch(source, READ, lambda _: self._read(source))

    def send(self, lines: list[str]) -> None:
        """Queue commands; they are written while the waiter waits. Said again before that, they count once."""
        now = self._waiter.now()
        if self._unanswered and now - self._unanswered[0][1] > PATIENCE:
            self.silent, self._acknowledged = True, False
            self._unanswered.clear()
        if self._pending and lines == self._last:
            return  # a daemon that does not read us must not make the queue grow with every check (--repeat)
        self._last = lines
        for line in lines:
            self._pending += line.encode() + b"\n"
            if self._acknowledged:
                self._unanswered.append((line, now))
        if self._pending and not self.gone:
            self._waiter.watch(self._sink, WRITE, self._write)

    def settle(self, seconds: float) -> bool:
        """Wait until all is written and answered; return whether it is."""
        return self._waiter.wait(self._waiter.now() + seconds, self.settled)

    def settled(self) -> bool:
        """Whether there is nothing to wait for."""
        written = not self._pending or self.gone
        return written and (not self._unanswered or self.closing or self.gone)

    def _write(self, events: int) -> None:
        if events & GONE:
            self._lose()
            return
        try:
            written = os.write(self._sink, self._pending[:CHUNK])
        except BlockingIOError:
            return
        except OSError:
            self._lose()
            return
        self._pending = self._pending[written:]
        if not self._pending:
            self._waiter.watch(self._sink, 0, self._write)

    def _lose(self) -> None:
        self.gone = True
        self._pending = b""
        self._waiter.forget(self._sink)

    def _read(self, source: int) -> None:
        try:
            data = os.read(source, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            # Nobody will answer; whether anybody still reads us is for stdout to tell.
            self._waiter.forget(source)
            self._acknowledged = False
            self._unanswered.clear()
            return
        *lines, partial = (self._partial + data).split(b"\n")
        self._partial = partial[-LINE_LIMIT:]
        for line in lines:
            self._take(line.decode(errors="replace").strip())

    def _take(self, line: str) -> None:
        if line in ("done", "error"):
            command = self._unanswered.popleft()[0] if self._unanswered else "(unknown)"
            if line == "error":
                self._refused(command)
        elif line == "shutdown" or line.startswith("shutdown ") or _is_shutdown_object(line):
            self.closing = True


def _is_shutdown_object(line: str) -> bool:
    return line.startswith("{") and '"notification": "shutdown"' in line.replace('":"', '": "')

"""What waits for a helper's stdin, bounded whatever the helper does.

Equal answers in a row are counted, not queued as text: a helper that never reads a million `done` costs a few octets.
Others take memory, and where they take too much, more of them wait at their source. Events wait in memory, then in a
spool file, and are then dropped visibly: the helper, the log and a counter learn how many.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

MEMORY_LIMIT = 64 * 1024 * 1024  # octets of events in memory, where nothing else is configured
SPOOL_LIMIT = 1024 * 1024 * 1024  # octets of events on disk, likewise
SPOOL_FILE = 64 * 1024 * 1024  # octets of one file of the spool
CHUNK = 64 * 1024  # octets for one write
ANSWER_LIMIT = 16 * 1024 * 1024  # octets of memory that answers take; more of them wait at their source
ANSWER_OCTETS = 128  # of memory that an answer takes beside its text, however often it is repeated


class Spool:
    """A queue of octets in unlinked files: gone with the process, however that dies.

    A file that has been read to its end is given back at once, so a reader who never quite catches up does not make
    the disk fill.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: deque[IO[bytes]] = deque()
        self._read = 0  # octets taken from the first file
        self._written = 0  # octets in the last file
        self._waiting = 0

    def __len__(self) -> int:
        """Octets that wait."""
        return self._waiting

    def push(self, octets: bytes) -> None:
        """Append; OSError when the disk is full, with nothing appended."""
        if not self._files or self._written >= SPOOL_FILE:
            self._files.append(tempfile.TemporaryFile(dir=self._directory, buffering=0))  # noqa: SIM115 (lives on)
            self._written = 0
        descriptor = self._files[-1].fileno()
        view, offset = memoryview(octets), self._written
        try:
            while view:
                count = os.pwrite(descriptor, view, offset)
                view, offset = view[count:], offset + count
        except OSError:
            os.ftruncate(descriptor, self._written)
            raise
        self._written = offset
        self._waiting += len(octets)

    def pull(self, count: int) -> bytes:
        """Take from the front, from one file at a time."""
        if not self._waiting:
            return b""
        first = self._files[0]
        limit = self._written if len(self._files) == 1 else os.fstat(first.fileno()).st_size
        octets = os.pread(first.fileno(), min(count, limit - self._read), self._read)
        self._read += len(octets)
        self._waiting -= len(octets)
        if self._read == limit:
            self._files.popleft().close()
            self._read = 0
        return octets


class Output:
    """Answers and events in the order in which a helper is to read them; answers first, never inside a line."""

    def __init__(
        self,
        spool_directory: Path,
        lost_notice: Callable[[int], bytes],
        memory_limit: int = MEMORY_LIMIT,
        spool_limit: int = SPOOL_LIMIT,
    ) -> None:
        self._spool_directory = spool_directory
        self._memory_limit, self._spool_limit = memory_limit, spool_limit
        self._lost_notice = lost_notice
        self._answers: deque[tuple[bytes, int]] = deque()  # line, how many times
        self._answer_count = 0
        self._answer_octets = 0  # of memory that they take
        self._events: deque[bytes] = deque()
        self._event_size = 0
        self._spool: Spool | None = None
        self._partial = b""  # what a write began and did not finish
        self._line_open = False  # whether an event line was cut by the end of a spool chunk
        self.lost = 0  # events dropped since the last notice
        self.lost_total = 0

    def __bool__(self) -> bool:
        return bool(self._partial or self._answers or self._events or self.lost or (self._spool and len(self._spool)))

    @property
    def waiting(self) -> dict[str, int]:
        """For `helpers`: the number of answers, octets in memory and on disk, the number of events that were lost."""
        spooled = len(self._spool) if self._spool else 0
        memory = self._answer_octets + self._event_size
        return {"answers": self._answer_count, "memory": memory, "spool": spooled, "lost": self.lost_total}

    @property
    def answers_full(self) -> bool:
        """Whether more answers should wait at their source."""
        return self._answer_octets > ANSWER_LIMIT

    def answer(self, line: bytes, count: int = 1) -> None:
        """Queue an answer `count` times; equal answers in a row are only counted."""
        self._answer_count += count
        if self._answers and self._answers[-1][0] == line:
            self._answers[-1] = (line, self._answers[-1][1] + count)
            return
        self._answers.append((line, count))
        self._answer_octets += ANSWER_OCTETS + len(line)

    def event(self, lines: Iterable[bytes]) -> None:
        """Queue events, each a whole line (or lines) with its end."""
        for line in lines:
            if self._spool is not None and (len(self._spool) or self._event_size >= self._memory_limit):
                self._to_spool(line)
            elif self._event_size >= self._memory_limit:
                self._spool = Spool(self._spool_directory)
                self._to_spool(line)
            elif self.lost:
                self.drop(1)
            else:
                self._events.append(line)
                self._event_size += len(line)

    def _to_spool(self, line: bytes) -> None:
        if self._spool is None or self.lost or len(self._spool) + len(line) > self._spool_limit:
            self.drop(1)
            return
        try:
            self._spool.push(line)
        except OSError:
            self.drop(1)

    def drop(self, count: int) -> None:
        """Note events that the helper will not get; it is told how many when it reads again."""
        self.lost += count
        self.lost_total += count

    def next_chunk(self) -> bytes:
        """Return what to write next; call `written` with how much of it was taken."""
        if not self._partial:
            self._partial = self._answer_chunk() if not self._line_open else b""
        if not self._partial:
            self._partial = self._event_chunk()
        return self._partial

    def written(self, count: int) -> None:
        """Note how much of the last chunk the pipe took."""
        self._partial = self._partial[count:]

    def _answer_chunk(self) -> bytes:
        parts, size = [], 0
        while self._answers and size < CHUNK:
            line, count = self._answers[0]
            taken = min(count, max(1, (CHUNK - size) // len(line)))
            parts.append(line * taken)
            size += len(line) * taken
            self._answer_count -= taken
            if taken == count:
                self._answers.popleft()
                self._answer_octets -= ANSWER_OCTETS + len(line)
            else:
                self._answers[0] = (line, count - taken)
        return b"".join(parts)

    def _event_chunk(self) -> bytes:
        parts, size = [], 0
        while self._events and size < CHUNK:
            line = self._events.popleft()
            parts.append(line)
            size += len(line)
        self._event_size -= size
        if parts:
            return b"".join(parts)
        if self._spool is not None and len(self._spool):
            octets = self._spool.pull(CHUNK)
            self._line_open = not octets.endswith(b"\n")
            return octets
        if self.lost:
            lost, self.lost = self.lost, 0
            return self._lost_notice(lost)
        return b""

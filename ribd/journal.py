"""The journal: what ribd acknowledged, in the order in which it happened.

Two kinds of file in the journal directory, numbered: `snapshot-N` (the whole RIB at a moment) and `log-N` (what came
after it). Both are sequences of records, each framed by length and CRC-32, with a CRC-32 of both in front of the
record: whether a length can be believed decides between a record that was cut short and damage. A log's record is the
request as it came from the bus, so that replaying it gives the same contents and the same version numbers.

A request counts once its record is written: the page cache outlives any process. `durable` adds fdatasync, for a
host that loses power, and fsync of the directory, for the files' names. A record that was cut short by a death in the
middle of a write was never acknowledged and is cut off; any other damage ends the journal there, is reported, and
gives it a new lineage, because sessions may have been sent what is lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bus.daemon import die_with_parent

FRAME = struct.Struct("!III")  # length and checksum of the record, checksum of these two
_MEASURES = struct.Struct("!II")
RECORD_LIMIT = 16 * 1024 * 1024 + 1024  # octets; a length above it is damage
FILE_MODE = 0o640
COMPACT_AT = 64 * 1024 * 1024  # octets of log, unless the snapshot is larger
_NAME = re.compile(r"(snapshot|log)-(\d+)$")


class Damage(Struct, frozen=True):
    """Where a file stops making sense, and how many octets were dropped."""

    path: Path
    offset: int
    dropped: int
    torn: bool  # an unfinished last record: nobody was told that it counts

    def __str__(self) -> str:
        what = "unfinished record" if self.torn else "damage"
        return f"{what} in {self.path} at octet {self.offset}, {self.dropped} octets dropped"


def frame(payload: bytes) -> bytes:
    """Put length and checksums before a record. ValueError for one that would be damage when it is read."""
    if len(payload) > RECORD_LIMIT:
        raise ValueError(f"a record of {len(payload)} octets, at most {RECORD_LIMIT} expected")
    measures = _MEASURES.pack(len(payload), zlib.crc32(payload))
    return measures + zlib.crc32(measures).to_bytes(4, "big") + payload


def read_records(path: Path, damage: list[Damage]) -> Iterator[bytes]:
    """Yield the good records of a file; what follows the last good one goes to `damage`."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        offset = 0
        while offset < size:
            header = file.read(FRAME.size)
            if len(header) < FRAME.size:
                damage.append(Damage(path, offset, size - offset, torn=True))
                return
            length, checksum, check = FRAME.unpack(header)
            if zlib.crc32(header[: _MEASURES.size]) != check or length > RECORD_LIMIT:
                damage.append(Damage(path, offset, size - offset, torn=False))
                return
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload) != checksum:
                damage.append(Damage(path, offset, size - offset, torn=len(payload) < length))
                return
            yield payload
            offset += FRAME.size + length


class Journal:
    """The files of one RIB. Only one process has them open; the daemon's lock sees to that."""

    def __init__(self, directory: Path, durable: bool = False) -> None:
        self._directory = directory
        self._durable = durable
        self._number = 0
        self._log = -1
        self._size = 0
        self._snapshot_size = 0
        self._writer = 0  # pid of the process that writes a snapshot, or 0

    def _path(self, kind: str, number: int) -> Path:
        return self._directory / f"{kind}-{number}"

    def _numbers(self, kind: str) -> list[int]:
        found = (_NAME.match(path.name) for path in self._directory.iterdir())
        return sorted(int(match[2]) for match in found if match and match[1] == kind)

    def recover(self, damage: list[Damage]) -> Iterator[tuple[str, bytes]]:
        """Yield ("snapshot" | "log", record) of the newest snapshot and the logs since; stop at damage."""
        self._directory.mkdir(parents=True, exist_ok=True)
        snapshots = self._numbers("snapshot")
        first = snapshots[-1] if snapshots else 0
        self._number = max([first, *self._numbers("log")])
        if snapshots:
            path = self._path("snapshot", first)
            self._snapshot_size = path.stat().st_size
            yield from (("snapshot", record) for record in read_records(path, damage))
        for number in self._numbers("log"):
            if number >= first and not damage:
                yield from (("log", record) for record in read_records(self._path("log", number), damage))
                if damage and number < self._number:
                    damage[-1] = replace(damage[-1], torn=False)  # others were written after it

    def open(self, damage: list[Damage]) -> None:
        """Begin to write, after what was recovered; a torn tail is cut off first."""
        for left in self._directory.glob("writing-*"):
            left.unlink(missing_ok=True)
        path = self._path("log", self._number)
        if damage and damage[-1].path == path:
            os.truncate(path, damage[-1].offset)
        self._open_log(self._number)

    def _open_log(self, number: int) -> None:
        log = os.open(self._path("log", number), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
        if self._log >= 0:
            os.close(self._log)
        self._log, self._number = log, number
        self._sync_directory()
        self._size = os.fstat(log).st_size

    def append(self, payloads: Iterable[bytes]) -> None:
        """Write records; OSError (disk full) leaves the log as it was before."""
        octets = b"".join(map(frame, payloads))
        try:
            written = os.write(self._log, octets)
            if written != len(octets):
                raise OSError(errno.ENOSPC, "the disk took only part of a record")
            if self._durable:
                os.fdatasync(self._log)
        except OSError:
            os.ftruncate(self._log, self._size)
            raise
        self._size += len(octets)

    @property
    def wants_compaction(self) -> bool:
        """Whether the log has outgrown the snapshot."""
        return not self._writer and self._size > max(COMPACT_AT, 2 * self._snapshot_size)

    def compact(self, records: Iterable[bytes]) -> None:
        """Write a snapshot in a child process, which has our memory as it is now, and continue in a new log.

        The child renames the complete snapshot into place by itself, and ends with us, whenever that is: it holds our
        sockets and the daemon's lock. Until the rename, the logs have everything.
        OSError: it could not begin; the present log is continued, and grows as much again before the next attempt.
        """
        number = self._number + 1
        self._snapshot_size = max(self._snapshot_size, self._size)
        # Before the fork: the child will remove the log that is open now.
        self._open_log(number)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                die_with_parent(parent, signal.SIGKILL)
                self._write_snapshot(number, records)
                status = 0
            finally:
                os._exit(status)
        self._writer = pid

    def _write_snapshot(self, number: int, records: Iterable[bytes]) -> None:
        temporary = self._directory / f"writing-{number}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(descriptor, "wb", buffering=1 << 20) as file:
            for record in records:
                file.write(frame(record))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._path("snapshot", number))
        self._sync_directory()
        self._drop_before(number)

    def _sync_directory(self) -> None:
        """Make the names of files as durable as their contents."""
        if self._durable:
            descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _drop_before(self, number: int) -> None:
        for kind in ("snapshot", "log"):
            for old in self._numbers(kind):
                if old < number:
                    self._path(kind, old).unlink(missing_ok=True)

    def start_over(self, records: Iterable[bytes]) -> None:
        """Replace all files by a snapshot of what was recovered, in this process, before serving."""
        number = self._number + 1
        self._write_snapshot(number, records)
        self._open_log(number)

    def reap(self) -> bool | None:
        """Look after the snapshot writer: True when it finished, False when it failed, None while there is none."""
        if not self._writer:
            return None
        with contextlib.suppress(ChildProcessError):
            pid, status = os.waitpid(self._writer, os.WNOHANG)
            if pid == 0:
                return None
            self._writer = 0
            if status == 0:
                self._snapshot_size = self._path("snapshot", self._number).stat().st_size
            else:
                self._path("writing", self._number).unlink(missing_ok=True)
            return status == 0
        self._writer = 0
        return False


def new_lineage() -> str:
    """Return a name for a history of versions."""
    return os.urandom(8).hex()

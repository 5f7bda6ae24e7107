"""Where the log goes. The lines of all daemons come to `bgpbus run`, which hands them on and waits for nobody."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path

from apid.config.options import LogOptions
from bus.daemon import one_line

LINE_OCTETS = 16 * 1024  # of a line without an end, after which it is cut
WRITE_OCTETS = 4096  # a pipe or terminal that is writable takes so much without blocking
FILE_MODE = 0o640
DEVICE = "/dev/log"
SYSLOG_PORT = 514
DAEMON = 3  # the facility (RFC 5424 section 6.2.1)
SEVERITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}
LINE = re.compile(rb"\S+ \S+ (?P<program>\S+) (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) ")
STAMP = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")
QUIET = (b"DEBUG", b"INFO")  # levels that the switches of categories turn off; what is wrong is always told


class Destination(ABC):
    """Where lines go; `write` never waits and never raises: what cannot be written is lost."""

    @abstractmethod
    def write(self, lines: list[bytes]) -> None:
        """Take lines without their ends."""


class Stream(Destination):
    """Our stderr: a terminal, a pipe or a journal that may stand still."""

    def write(self, lines: list[bytes]) -> None:
        """Write what it takes at once."""
        octets = b"".join(line + b"\n" for line in lines)
        descriptor = sys.stderr.fileno()
        for start in range(0, len(octets), WRITE_OCTETS):
            if select.select([], [descriptor], [], 0)[1]:
                with contextlib.suppress(OSError):
                    os.write(descriptor, octets[start : start + WRITE_OCTETS])


class File(Destination):
    """A file that may be moved away (logrotate): then a new one is begun. OSError where it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = self._open()

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)

    def write(self, lines: list[bytes]) -> None:
        """Append."""
        with contextlib.suppress(OSError):
            self._follow()
        with contextlib.suppress(OSError):
            os.write(self._descriptor, b"".join(line + b"\n" for line in lines))

    def _follow(self) -> None:
        """Open the path again where it names another file, or none; the former one serves where that fails."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self.path), os.fstat(self._descriptor)):
                return
        former, self._descriptor = self._descriptor, self._open()
        os.close(former)


class Syslog(Destination):
    """A syslog: that of the host, or another host's over UDP. Lines go without our time: it has its own."""

    def __init__(self, family: int, address: str | tuple[str, int]) -> None:
        self._family, self._address = family, address
        self._socket = self._connect()

    def _connect(self) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            sock.connect(self._address)
        except OSError:
            sock.close()
            raise
        return sock

    def write(self, lines: list[bytes]) -> None:
        """Send a datagram for each line; a syslog that was restarted is connected to again."""
        for line in lines:
            found = LINE.match(line)
            severity = SEVERITIES[found["level"].decode()] if found else SEVERITIES["INFO"]
            head = f"<{DAEMON * 8 + severity}>bgpbus[{os.getpid()}]: ".encode()
            self._send(head + STAMP.sub(b"", line, count=1))

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except BlockingIOError:
            pass
        except OSError:
            with contextlib.suppress(OSError):
                former, self._socket = self._socket, self._connect()
                former.close()
                self._socket.send(datagram)


def open_destination(text: str) -> Destination:
    """Open what `exabgp.log.destination` names; OSError says what is wrong. `stdout` is stderr, as with ExaBGP."""
    if text in ("stdout", "stderr", ""):
        return Stream()
    try:
        if text == "syslog":
            return Syslog(socket.AF_UNIX, DEVICE)
        if text.startswith("host:"):
            name = text.removeprefix("host:")
            family, _, _, _, address = socket.getaddrinfo(name, SYSLOG_PORT, type=socket.SOCK_DGRAM)[0]
            return Syslog(family, (str(address[0]), int(address[1])))
        return File(Path(text.removeprefix("file:")).absolute())
    except (OSError, ValueError) as error:  # the latter: no name that a host or a file can have
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OSError(f"exabgp.log.destination is '{text}': {reason}") from error


class Log:
    """Cut what comes into lines, leave out what is not wanted, and hand on the rest."""

    def __init__(self, log: LogOptions, destination: Destination) -> None:
        self._destination = destination
        self._enabled, self._short = log.enable, log.short
        # The switches of ExaBGP that mean something here, and what the names of their programs begin with.
        switches = (
            (log.daemon, (b"bgpbus", b"broker", b"ribd")),
            (log.reactor, (b"control",)),
            (log.processes, (b"helper-",)),
            (log.network, (b"peerd-", b"listener")),
        )
        self._hidden = tuple(start for on, starts in switches for start in starts if not (on or log.all))
        self._rest = b""

    def write(self, octets: bytes) -> None:
        """Take the next octets of the log."""
        *lines, self._rest = (self._rest + octets).split(b"\n")
        if len(self._rest) > LINE_OCTETS:
            lines.append(self._rest)
            self._rest = b""
        if self._enabled and (wanted := [*self._wanted(lines)]):
            self._destination.write(wanted)

    def _wanted(self, lines: Iterable[bytes]) -> Iterable[bytes]:
        for line in lines:
            if not self._is_hidden(line):
                yield STAMP.sub(b"", line, count=1) if self._short else line

    def _is_hidden(self, line: bytes) -> bool:
        found = LINE.match(line) if self._hidden else None
        return found is not None and found["level"] in QUIET and found["program"].startswith(self._hidden)


class Handler(logging.Handler):
    """Give our own records the way of all others."""

    def __init__(self, write: Callable[[bytes], None], formatter: logging.Formatter | None) -> None:
        super().__init__()
        self._write = write
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        self._write(one_line(self.format(record)).encode(errors="backslashreplace") + b"\n")

"""ExaBGP's named pipes: command lines come from `NAME.in`, their answers go to `NAME.out`.

The administrator makes the pair (`mkfifo`); scripts write a command into one and read the other up to `done` or
`error`. For control this is one more client of its socket, with one command at a time. Whoever uses the pipes, or does
not read them, holds up nobody else: answers wait in bounded memory, for seconds, and are then dropped.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
import sys
import termios
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from apid.answer_lines import AnswerLines
from apid.config.environment import DEFAULTS
from apid.grammar.secret import without_secrets
from bus.daemon import RunDirectory, one_line
from bus.loop import Loop, Timer, readable
from bus.schema import Answer, Command, Message
from bus.transport import Client

READ_OCTETS = WRITE_OCTETS = 64 * 1024
LINE_OCTETS = 64 * 1024  # the longest command; what is longer is refused
ANSWER_OCTETS = 1024 * 1024  # that may wait for a reader; more waits at its source
PATIENCE = 5.0  # seconds for a reader to come, or to read on
RETRY = 0.05  # seconds between looks for a reader
FOLDERS = ("run/exabgp", "run/{uid}", "run", "var/run/exabgp", "var/run/{uid}", "var/run")


def places(root: str) -> Iterator[Path]:
    """Yield the folders in which ExaBGP looks for its pipes: those of the system, then those of the installation."""
    for start in ("/", root):
        for folder in FOLDERS:
            yield Path(start) / folder.format(uid=os.getuid())


def find_pipes(name: str, folders: Iterable[Path]) -> tuple[Path, Path] | None:
    """Return the first pair of pipes of this name: commands, answers."""
    for folder in folders:
        pair = folder / f"{name}.in", folder / f"{name}.out"
        if all(_is_pipe(path) for path in pair):
            return pair
    return None


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False


class Pipes:
    """A pair of pipes and the commands that come through it. OSError where it cannot be had, or is taken."""

    def __init__(self, loop: Loop, run: RunDirectory, commands: Path, answers: Path, log: logging.Logger) -> None:
        self._loop, self._log, self._path = loop, log, answers
        # Open for writing, too, so that there is no end of file between two scripts.
        self._commands = os.open(commands, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(self._commands, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._commands)
            raise
        self._rest = b""
        self._refused = False  # what is read, up to a newline, belongs to a command that was too long
        self._lines: deque[str] = deque()
        self._request = 0
        self._asked: Command | None = None
        self._answer_lines = AnswerLines()
        self._answers = -1
        self._queue = bytearray()
        self._line_open = False  # whether a reader has the beginning of a line
        self._begun = False  # whether a reader has a part of the answer that is being given
        self._unwanted = False  # whether the rest of that answer is for nobody, because that reader left
        self._timer: Timer | None = None
        self._waiting_since = 0.0
        self._client = Client(loop, run.control, self._answered, self._connected, self._bad)
        loop.watch(self._commands, lambda _events: self._read())

    # Commands

    def _read(self) -> None:
        try:
            octets = os.read(self._commands, READ_OCTETS)
        except BlockingIOError:
            return
        *lines, self._rest = (self._rest + octets).split(b"\n")
        if self._refused:
            # The end of what was refused is no command.
            lines, self._refused = lines[1:], not lines
            self._rest = b"" if self._refused else self._rest
        self._lines.extend(line.decode(errors="replace").strip() for line in lines)
        if len(self._rest) > LINE_OCTETS:
            self._log.warning("named pipe: a command of more than %d octets is refused", LINE_OCTETS)
            self._rest, self._refused = b"", True
            self._say(["error"])
        self._next()

    def _next(self) -> None:
        """Ask for the next command; the pipe is read again when all have been carried out."""
        if self._asked is None and self._lines:
            self._request += 1
            self._asked = Command(self._request, "", self._lines.popleft())
            self._client.send(self._asked)
        if self._asked is None:
            self._loop.watch(self._commands, lambda _events: self._read())
        else:
            self._loop.unwatch(self._commands)

    def _connected(self) -> None:
        if self._asked is not None:
            self._client.send(self._asked)

    def _answered(self, message: Message) -> None:
        if not isinstance(message, Answer) or self._asked is None or message.request != self._asked.request:
            return
        end = ["error" if message.error else "done"] if message.final else []
        lines = [*self._answer_lines.take(message), *end]
        if not self._unwanted:
            self._say(lines)
        if not message.final:
            return
        if message.error:
            line = one_line(without_secrets(self._asked.line))
            self._log.warning("named pipe: command refused command=%r reason=%s", line, message.error)
        self._asked = None
        self._begun, self._unwanted = bool(self._queue), False
        self._next()

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)

    # Answers

    def _say(self, lines: list[str]) -> None:
        if not self._queue:
            self._waiting_since = self._loop.now()
        self._queue += "".join(f"{line}\n" for line in lines).encode()
        self._flush()

    def _flush(self) -> None:
        """Write what a reader takes; go on when it takes more, for a bounded time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._answers >= 0 or self._open():
            self._write()
        if self._queue and self._loop.now() - self._waiting_since > PATIENCE:
            self._give_up()
        if self._queue:
            self._timer = self._loop.call_later(RETRY, self._flush)
        self._client.pause_reading(len(self._queue) > ANSWER_OCTETS)

    def _open(self) -> bool:
        """Open the pipe of answers; False while nobody reads it."""
        try:
            self._answers = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.ENXIO:
                self._log.warning("named pipe %s: %s", self._path, error.strerror)
            return False
        return True

    def _write(self) -> None:
        try:
            while self._queue:
                written = os.write(self._answers, self._queue[:WRITE_OCTETS])
                self._begun, self._line_open = True, self._queue[written - 1] != ord("\n")
                del self._queue[:written]
                self._waiting_since = self._loop.now()
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._left()
            return
        # A pipe that is only written to is never readable: what comes is the news that nobody reads it any more.
        self._loop.watch(self._answers, self._ready, write=bool(self._queue))

    def _ready(self, events: int) -> None:
        if readable(events):
            self._left()
        else:
            self._flush()

    def _left(self) -> None:
        """Take note that the reader is gone: the rest of an answer is not for the next one.

        The pipe stays open, since the next one may be there already and would read its end. What is in it unread goes
        only with the pipe itself.
        """
        self._loop.unwatch(self._answers)
        if self._begun:
            self._queue.clear()
            self._line_open, self._unwanted = False, self._asked is not None
        if int.from_bytes(fcntl.ioctl(self._answers, termios.FIONREAD, bytes(4)), sys.byteorder):
            os.close(self._answers)
            self._answers = -1
        self._client.pause_reading(len(self._queue) > ANSWER_OCTETS)

    def _give_up(self) -> None:
        self._log.warning("named pipe: answers that nobody read are dropped octets=%d", len(self._queue))
        end = self._queue.find(b"\n") + 1 if self._line_open else 0
        del self._queue[end:]
        self._waiting_since = self._loop.now()


def open_pipes(loop: Loop, run: RunDirectory, name: str, root: str, log: logging.Logger) -> Pipes | None:
    """Serve the pair of pipes of this name; None where there is none, or it cannot be had, which the log says."""
    pair = find_pipes(name, places(root))
    if pair is None:
        if name != DEFAULTS.api.pipename:
            log.warning("there are no named pipes %s.in and %s.out in the folders of ExaBGP", name, name)
        return None
    try:
        pipes = Pipes(loop, run, *pair, log)
    except BlockingIOError:
        log.warning("named pipe %s belongs to another daemon, it is left alone", pair[0])
        return None
    except OSError as error:
        log.warning("named pipe %s cannot be used: %s", pair[0], error.strerror)
        return None
    log.info("named pipes commands=%s answers=%s", *pair)
    return pipes

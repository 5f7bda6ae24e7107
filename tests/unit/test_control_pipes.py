"""Command lines that come through the named pipe."""

from __future__ import annotations

import logging
import os
import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from apid.control import pipes as module
from apid.control.pipes import LINE_OCTETS, Pipes
from bus.daemon import RunDirectory
from bus.schema import Answer, Command
from tests.unit.control_stage import StillLoop

PIECE = LINE_OCTETS // 2


class WatchingLoop(StillLoop):
    """A loop that calls those who watch a descriptor when the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: dict[int, Callable[[int], None]] = {}

    def watch(self, descriptor: int, handler: Callable[[int], None], *_: Any, **__: Any) -> None:
        self.handlers[descriptor] = handler

    def unwatch(self, descriptor: int) -> None:
        self.handlers.pop(descriptor, None)


class Control:
    """control, which carries out every command when the test says, or at once."""

    def __init__(self, loop: Any, _path: Path, on_message: Any, _on_connect: Any, _on_bad: Any) -> None:
        self._loop, self._answer = loop, on_message
        self.lines: list[str] = []
        self.at_once = True

    def send(self, command: Command) -> bool:
        self.lines.append(command.line)
        if self.at_once:
            self._loop.call_soon(self.answer)
        return True

    def answer(self, *lines: str, final: bool = True) -> None:
        """Answer the last command, whose number is the count of all."""
        self._answer(Answer(len(self.lines), list(lines), final, ""))

    def pause_reading(self, paused: bool) -> None:
        assert not paused


class Bed:
    """Pipes, and the scripts that use them."""

    def __init__(self, directory: Path) -> None:
        for name in ("in", "out"):
            os.mkfifo(directory / name)
        self.loop: Any = WatchingLoop()
        log = logging.getLogger("test")
        self.pipes = Pipes(self.loop, RunDirectory(directory), directory / "in", directory / "out", log)
        self.control: Any = self.pipes._client
        self.path = directory / "out"
        self._writer = os.open(directory / "in", os.O_WRONLY | os.O_NONBLOCK)
        self._readers: list[int] = []

    def say(self, octets: bytes) -> None:
        """Write commands, and have them read."""
        assert os.write(self._writer, octets) == len(octets)
        self.loop.handlers[self.pipes._commands](select.EPOLLIN)

    def reader(self) -> int:
        """Open the pipe of answers."""
        self._readers.append(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
        return self._readers[-1]

    def answered(self) -> int:
        """Have a script ask, and be answered `exabgp`; return what it reads from. Later answers are the test's."""
        self.control.at_once = False
        reader = self.reader()
        self.say(b"version\n")
        self.control.answer("exabgp")
        return reader

    def close(self) -> None:
        """Close everything."""
        for descriptor in (*self._readers, self._writer, self.pipes._commands, self.pipes._answers):
            with suppress(OSError):  # closed by the test, or never open
                os.close(descriptor)


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    monkeypatch.setattr(module, "Client", Control)
    made = Bed(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("pieces", [3, 6])
def test_the_end_of_a_command_that_was_too_long_is_no_command(bed: Bed, pieces: int) -> None:
    reader = bed.reader()
    for piece in [b"reload " + b"x" * PIECE, *[b"y" * PIECE] * (pieces - 1), b"reload\nversion\nhelp\n"]:
        bed.say(piece)
        bed.loop.step()
    while bed.pipes._asked is not None:
        bed.loop.step()
    assert bed.control.lines == ["version", "help"]
    assert os.read(reader, 100) == b"error\ndone\ndone\n"


def test_a_script_that_comes_before_the_news_that_the_last_one_left_reads_no_end(bed: Bed) -> None:
    reader = bed.answered()
    assert os.read(reader, 100) == b"exabgp\ndone\n"
    os.close(reader)
    reader = bed.reader()
    bed.loop.handlers[bed.pipes._answers](select.EPOLLERR)
    with pytest.raises(BlockingIOError):
        os.read(reader, 100)
    bed.say(b"help\n")
    bed.control.answer()
    assert os.read(reader, 100) == b"done\n"


def test_an_answer_that_finds_the_last_reader_gone_waits_for_the_next_one(bed: Bed) -> None:
    reader = bed.answered()
    os.close(reader)  # with octets in the pipe that it has not read
    bed.say(b"help\n")
    bed.control.answer("help")
    reader = bed.reader()
    bed.loop.run(1)
    assert os.read(reader, 100) == b"help\ndone\n"


def test_the_rest_of_an_answer_whose_reader_left_is_not_for_the_next_one(bed: Bed) -> None:
    bed.control.at_once = False
    reader = bed.reader()
    bed.say(b"show adj-rib out\n")
    bed.control.answer("one", final=False)
    os.close(reader)
    for line in ("two", "three"):
        bed.control.answer(line, final=False)
    reader = bed.reader()
    bed.control.answer("four")
    bed.say(b"help\n")
    bed.control.answer("help")
    assert os.read(reader, 100) == b"help\ndone\n"

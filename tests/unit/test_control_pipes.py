"""Command lines that come through the named pipe."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
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
    """control, which carries out every command at once."""

    def __init__(self, loop: Any, _path: Path, on_message: Any, _on_connect: Any, _on_bad: Any) -> None:
        self._loop, self._answer = loop, on_message
        self.lines: list[str] = []

    def send(self, command: Command) -> bool:
        self.lines.append(command.line)
        self._loop.call_soon(lambda: self._answer(Answer(command.request, [], True, "")))
        return True

    def pause_reading(self, paused: bool) -> None:
        assert not paused


@pytest.mark.parametrize("pieces", [3, 6])
def test_the_end_of_a_command_that_was_too_long_is_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr(module, "Client", Control)
    for name in ("in", "out"):
        os.mkfifo(tmp_path / name)
    reader = os.open(tmp_path / "out", os.O_RDONLY | os.O_NONBLOCK)
    loop: Any = WatchingLoop()
    pipes = Pipes(loop, RunDirectory(tmp_path), tmp_path / "in", tmp_path / "out", logging.getLogger("test"))
    writer = os.open(tmp_path / "in", os.O_WRONLY | os.O_NONBLOCK)
    for piece in [b"reload " + b"x" * PIECE, *[b"y" * PIECE] * (pieces - 1), b"reload\nversion\nhelp\n"]:
        assert os.write(writer, piece) == len(piece)
        loop.handlers[pipes._commands](1)
        loop.step()
    while pipes._asked is not None:
        loop.step()
    assert pipes._client.lines == ["version", "help"]  # type: ignore[attr-defined]
    assert os.read(reader, 100) == b"error\ndone\ndone\n"
    for descriptor in (reader, writer, pipes._commands, pipes._answers):
        os.close(descriptor)

"""A stage for a bridge: a loop without a clock, a helper and daemons that say what the test says."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apid.bridge import bridge as module
from apid.bridge.bridge import Bridge
from apid.programs import write_files
from bus.daemon import RunDirectory
from bus.schema import Command, Message
from tests.unit.control_stage import StillLoop, compiled
from tests.unit.rib_bench import FakePublisher


class FakeClient:
    """A connection to a daemon that the test plays."""

    def __init__(self, _loop: Any, path: Path, receive: Any, connect: Any, _bad: Any) -> None:
        self.receive, self.connect = receive, connect
        self.sent: list[Message] = []
        self.there = True
        self.paused = False

    def send(self, message: Message) -> bool:
        if self.there:
            self.sent.append(message)
        return self.there

    def pause_reading(self, paused: bool) -> None:
        self.paused = paused


class FakeProcess:
    """A helper that says what the test says, and keeps what it reads."""

    def __init__(self, *_: Any) -> None:
        self.pid, self.uptime, self.starts, self.told = 1, 0.0, 1, False
        self.begun = 0
        self.starts_in: float | None = None
        self.said = self.read_by_it = b""
        self.reads, self.paused = True, False

    def start(self) -> None:
        self.begun += 1

    def reconfigure(self, _helper: Any) -> None:
        self.begun += 1

    def read(self) -> bytes:
        said, self.said = self.said, b""
        return said

    def write(self, octets: bytes) -> int:
        if not self.reads:
            return 0
        self.read_by_it += octets
        return len(octets)

    def pause_reading(self, paused: bool) -> None:
        self.paused = paused

    def want_write(self, _wanted: bool) -> None:
        pass


class FakeFeeds:
    """The sessions: whether they may be sent routes, and whom to call when each was tried."""

    def __init__(
        self, _loop: Any, _run: Any, _output: Any, _lost: Any, _full: Any, tried: Callable[[], None], _log: Any
    ):
        self.tried = tried
        self.may_send = self.up = self.is_settled = False

    def configure(self, *_: Any) -> None:
        pass

    def spoken(self) -> None:
        self.may_send = True

    def settled(self) -> None:
        self.is_settled = True


class Stage:
    """A bridge between a helper, the sessions, ribd and control."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run = run = RunDirectory(path)
        run.create()
        write_files(run, compiled(), run.settings, run.programs)
        monkeypatch.setattr(module, "Client", FakeClient)
        monkeypatch.setattr(module, "HelperProcess", FakeProcess)
        monkeypatch.setattr(module, "Feeds", FakeFeeds)
        monkeypatch.setattr(module, "Publisher", FakePublisher)
        self.loop: Any = StillLoop()
        self.bridge = Bridge(self.loop, run, "helper-p", "life", logging.getLogger("test"))
        self.control: Any = self.bridge._control
        self.ribd: Any = self.bridge._rib_client
        self.feeds: Any = self.bridge._feeds
        self.process: Any = self.bridge._process

    def say(self, line: bytes) -> None:
        self.process.said = line
        self.bridge.helper_readable()

    def asked(self) -> list[Command]:
        sent, self.control.sent = self.control.sent, []
        return [message for message in sent if isinstance(message, Command)]

    def heard(self) -> list[str]:
        read, self.process.read_by_it = self.process.read_by_it, b""
        return list(read.decode().splitlines())

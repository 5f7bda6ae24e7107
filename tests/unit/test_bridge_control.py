"""A bridge and control: a command is answered once, also where control ends over it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from apid.bridge import bridge as module
from apid.bridge import output
from apid.bridge.bridge import Bridge
from apid.programs import write_files
from bus.daemon import RunDirectory
from bus.schema import Answer, Command, Message
from tests.unit.control_stage import StillLoop, compiled


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
        self.starts_in: float | None = None
        self.said = self.read_by_it = b""
        self.reads, self.paused = True, False

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


class Stage:
    """A bridge between a helper and control."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        run = RunDirectory(path)
        run.create()
        write_files(run, compiled(), run.settings, run.programs)
        monkeypatch.setattr(module, "Client", FakeClient)
        monkeypatch.setattr(module, "HelperProcess", FakeProcess)
        monkeypatch.setattr(module, "FirstAttempts", lambda *_: None)
        monkeypatch.setattr(module, "Feeds", lambda *_: SimpleNamespace(configure=lambda *_: None, up=False))
        monkeypatch.setattr(module, "Publisher", lambda *_: SimpleNamespace(publish=lambda *_: None))
        loop: Any = StillLoop()
        self.bridge = Bridge(loop, run, "helper-p", "life", logging.getLogger("test"))
        self.control: Any = self.bridge._control
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


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    return Stage(tmp_path, monkeypatch)


def test_a_command_that_was_not_answered_is_repeated_under_its_number_and_answered_once(stage: Stage) -> None:
    stage.say(b"neighbor * teardown 2\nping\n")
    (command,) = stage.asked()
    assert command == Command(1, "p", "neighbor * teardown 2", "life")
    stage.control.connect()
    assert stage.asked() == [command]
    for _ in range(2):
        stage.control.receive(Answer(1, [], True, ""))
    assert stage.heard() == ["done"]
    assert [each.request for each in stage.asked()] == [2]


def test_a_helper_that_reads_no_answers_is_read_until_they_take_too_much_memory(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(output, "ANSWER_LIMIT", 10_000)
    stage.process.reads = False
    stage.say(b"no command\n" * 10_000)
    assert not stage.process.paused
    for _ in range(2):
        stage.say(b"no command\n# comment\n" * 1000)
        assert stage.process.paused
        assert stage.control.paused
    assert "helper does not read its answers" in caplog.text
    stage.process.reads = True
    stage.bridge.helper_writable()
    assert not stage.process.paused
    assert not stage.control.paused
    assert len(caplog.records) - caplog.text.count("command refused") <= 2


def test_the_answers_of_a_helper_that_is_gone_hold_back_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "ANSWER_LIMIT", 10_000)
    stage.process.reads = False
    stage.say(b"no command\n# comment\n" * 1000)
    assert stage.process.paused
    stage.bridge.helper_exited(1)
    assert not stage.process.paused
    assert not stage.control.paused


def test_an_answer_whose_beginning_was_read_is_ended_by_an_error(stage: Stage) -> None:
    stage.say(b"show adj-rib out\nping\n")
    stage.asked()
    stage.control.receive(Answer(1, ["one", "tw"], False, "", True))
    stage.control.connect()
    assert stage.heard() == ["one", "error"]
    assert [each.line for each in stage.asked()] == ["ping"]
    stage.control.receive(Answer(1, ["one"], True, ""))
    assert stage.heard() == []


def test_a_line_of_which_nothing_was_read_comes_again_whole(stage: Stage) -> None:
    stage.say(b"show neighbor json\n")
    (command,) = stage.asked()
    stage.control.receive(Answer(1, ["[1, "], False, "", True))
    stage.control.connect()
    assert stage.asked() == [command]
    for lines, unfinished in ((["[1, "], True), (["2, "], True), (["3]", "more"], False)):
        stage.control.receive(Answer(1, lines, False, "", unfinished))
    stage.control.receive(Answer(1, [], True, ""))
    assert stage.heard() == ["[1, 2, 3]", "more", "done"]


def test_a_signal_that_comes_while_control_is_away_waits_for_it(stage: Stage) -> None:
    stage.control.there = False
    for number in (signal.SIGUSR1, signal.SIGALRM, signal.SIGUSR1):
        stage.bridge.signalled(number)
    assert stage.asked() == []
    stage.control.there = True
    for _ in range(2):
        stage.control.connect()
    assert [(each.client, each.line) for each in stage.asked()] == [("", "restart"), ("", "reload")]
    stage.bridge.signalled(signal.SIGUSR2)
    assert [each.line for each in stage.asked()] == ["reload helpers"]

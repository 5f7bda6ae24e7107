"""A bridge and control: a command is answered once, also where control ends over it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from apid.bridge import output
from bus.schema import Answer, Command
from tests.unit.bridge_stage import Stage


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

"""Commands on their way to control over one connection, and the lines of standard input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from apid.cli import ask as module
from apid.cli.ask import CONNECT_SECONDS, MOST_ASKED, Conversation
from apid.cli.errors import Failed
from apid.cli.main import main
from apid.cli.prompt import converse
from apid.grammar.command import parse_command
from apid.grammar.words import GrammarError
from bus.daemon import RunDirectory
from bus.schema import Answer, Command, Message


class Control:
    """What answers: each turn of the loop is one step of `script`, which a test sets."""

    def __init__(self) -> None:
        self.script: Iterator[object] = iter(())
        self.asked: list[Command] = []
        self.most = self.connections = 0
        self.time = 0.0
        self.client: Any = None

    def answer(self, number: int, *lines: str, error: str = "", final: bool = True) -> None:
        """Answer the command with a number."""
        self.client.receive(Answer(number, list(lines), final, error))

    def each_at_once(self, error_of: Callable[[str], str] = lambda line: "", silent: str = "-") -> Iterator[None]:
        """Answer all that was asked, the last first, in every turn: with the line, or nothing to a `silent` one."""
        done = 0
        while True:
            waiting, done = self.asked[done:], len(self.asked)
            self.most = max(self.most, len(waiting))
            for command in reversed(waiting):
                lines = [] if command.line.startswith(silent) else [command.line.upper()]
                self.answer(command.request, *lines, error=error_of(command.line))
            yield


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    stage = Control()

    class Client:
        def __init__(self, _loop: Any, _path: Path, receive: Any, connect: Any, _bad: Any) -> None:
            self.connected, self.receive, self.connect = True, receive, connect
            stage.client = self
            stage.connections += 1

        def send(self, message: Message) -> bool:
            assert isinstance(message, Command)
            stage.asked.append(message)
            return True

        def close(self) -> None:
            self.connected = False

    class Loop:
        waits = True

        def now(self) -> float:
            return stage.time

        def call_at(self, when: float, _callback: Any) -> Any:
            stage.time = when
            return self

        def cancel(self) -> None:
            pass

        def call_soon(self, _callback: Any) -> None:
            self.waits = False

        def turn(self) -> None:
            if self.waits:
                next(stage.script)
            self.waits = True

        def close(self) -> None:
            pass

    monkeypatch.setattr(module, "Client", Client)
    monkeypatch.setattr(module, "Loop", Loop)
    monkeypatch.setattr(module, "is_locked", lambda _path: True)
    return stage


def cli(text: str) -> Result:
    return CliRunner().invoke(main, ["cli"], input=text)


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str | type[BaseException]) -> None:
    said = iter(lines)

    def answer(prompt: str) -> str:
        assert prompt == "bgpbus> "
        line = next(said, EOFError)
        if isinstance(line, str):
            return line
        raise line

    monkeypatch.setattr("builtins.input", answer)
    converse(RunDirectory(Path("/nowhere")))


def begin(told: list[str], *lines: str) -> Conversation:
    conversation = Conversation(RunDirectory(Path("/nowhere")))
    for line in lines:
        conversation.ask(line, told.extend, lambda error: told.append(f"end {error.message if error else ''}".strip()))
    return conversation


def test_answers_are_told_in_the_order_of_the_commands(control: Control) -> None:
    told: list[str] = []
    conversation = begin(told, "a", "b")
    control.answer(2, "of b")
    control.answer(1, "of", "a", final=False)
    assert told == ["of", "a"]
    control.answer(1, error="no")
    assert told == ["of", "a", "end no", "of b", "end"]
    conversation.settle()


def test_what_control_died_over_is_not_asked_again(control: Control) -> None:
    told: list[str] = []
    conversation = begin(told, "a", "b")
    control.client.connect()
    conversation.settle()
    assert len(told) == 2
    assert all("may or may not" in end for end in told)
    assert [command.line for command in control.asked] == ["a", "b"]


def test_a_control_that_stays_away_is_waited_for_a_while(control: Control) -> None:
    told: list[str] = []
    conversation = begin(told, "a")
    control.client.connected = False
    conversation.settle()
    assert control.time == CONNECT_SECONDS
    assert "may or may not" in told[0]
    with pytest.raises(Failed, match="does not answer"):
        conversation.ask("b", told.extend, lambda _error: None)


def test_changes_of_routes_travel_together_over_one_connection(control: Control) -> None:
    control.script = control.each_at_once()
    lines = [f"announce route 10.0.{number // 256}.{number % 256}/32 next-hop self" for number in range(1000)]
    result = cli("\n".join(lines))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [line.upper() for line in lines]
    assert (control.connections, control.most) == (1, MOST_ASKED)


def test_what_is_no_change_of_routes_waits_for_those_before_it(control: Control) -> None:
    control.script = control.each_at_once()
    change = "announce route 10.0.0.0/8 next-hop self\n"
    assert cli(change + "show adj-rib out\nflush adj-rib out\n" + change).exit_code == 0
    assert control.most == 1


def test_a_line_that_fails_is_named_and_stops_no_other(control: Control) -> None:
    control.script = control.each_at_once(lambda line: "not so" if "foo" in line else "")
    result = cli("announce foo\nversion")
    assert result.exit_code == 1
    assert result.stderr == "announce foo: not so\nError: 1 command failed\n"
    assert result.stdout == "ANNOUNCE FOO\nVERSION\n"


def test_words_of_a_line_may_be_abbreviated(control: Control) -> None:
    control.script = control.each_at_once()
    assert cli("s n s\ng s\na r 10.0.0.0/8 next-hop self\ngroup end\n").exit_code == 0
    assert [command.line for command in control.asked] == [
        "show neighbor summary",
        "peer * group announce route 10.0.0.0/8 next-hop self",
    ]


def fault(line: str) -> str:
    """Return what control says of a command that is wrong."""
    with pytest.raises(GrammarError) as caught:
        parse_command(line)
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "error", "code"),
    [
        ("announce foo", fault("announce foo"), 2),
        ("show neighbor foo", "unknown word 'foo': expected one of configuration, extensive, json, summary", 2),
        ("announce route 10.0.0.0/8 next-hop self", "no neighbor matches", 1),
        ("reload", "bgpbus.conf:1:1: unknown section", 2),
    ],
)
def test_a_command_that_is_wrong_is_told_from_one_that_failed(
    control: Control, words: str, error: str, code: int
) -> None:
    control.script = control.each_at_once(lambda _line: error)
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == code
    assert result.stderr == f"Error: {error}\n"


def test_a_reload_that_fails_though_the_configuration_is_good_has_failed(control: Control) -> None:
    control.script = control.each_at_once(lambda line: "disk full" if line == "reload" else "")
    assert CliRunner().invoke(main, ["reload"]).exit_code == 1
    assert [command.line for command in control.asked] == ["reload", 'diff {"files": [], "summary": true}']


def test_a_wrong_command_that_was_not_asked_has_failed(control: Control) -> None:
    def die() -> Iterator[None]:
        control.client.connected = False
        yield

    control.script = die()
    result = CliRunner().invoke(main, ["announce", "foo"])
    assert result.exit_code == 1
    assert "may or may not" in result.stderr


# The prompt


def test_the_prompt_prints_answers_errors_and_done(
    control: Control, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    control.script = control.each_at_once(lambda line: "not so" if "foo" in line else "", silent="flush")
    typed(monkeypatch, "s n s", "announce foo", KeyboardInterrupt, "", " f a o ", "exit", "version")
    printed = capsys.readouterr()
    assert printed.out == "SHOW NEIGHBOR SUMMARY\nANNOUNCE FOO\n\ndone\n"
    assert printed.err == "Error: not so\n"
    assert (len(control.asked), control.connections) == (3, 1)


@pytest.mark.parametrize("end", ["exit", "quit", EOFError])
def test_the_prompt_ends(control: Control, monkeypatch: pytest.MonkeyPatch, end: str | type[BaseException]) -> None:
    typed(monkeypatch, end)
    assert not control.client.connected


def test_the_prompt_stays_while_bgpbus_is_away(
    control: Control, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def die() -> Iterator[None]:
        control.client.connected = False
        yield

    control.script = die()
    typed(monkeypatch, "version", "version", "exit")
    first, second = capsys.readouterr().err.splitlines()
    assert "may or may not" in first
    assert "does not answer" in second

"""Ask control from the command line: command lines out, lines of their answers back."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from apid.answer_lines import AnswerLines
from apid.cli.errors import Failed, Misconfigured, Refused
from apid.grammar.words import GrammarError
from bus.daemon import RunDirectory, is_locked
from bus.loop import Loop
from bus.schema import Answer, Command, Message
from bus.transport import Client, UnfitMessage

CONNECT_SECONDS = 5.0  # for control to be there; it may be starting
MOST_ASKED = 16  # commands on the way; control carries out 256 at the same time, for everybody
# What was asked before it ended may have been done: asking again could do it twice.
ENDED = "control ended before it answered; it may or may not have carried out the command"

Take = Callable[[list[str]], None]
End = Callable[[Failed | None], None]  # gets why it was not carried out, or may not have been


class Question(Struct):
    """A command on its way: `take` gets the lines of its answer, then `end` is called."""

    request: int
    take: Take
    end: End
    lines: AnswerLines = field(default_factory=AnswerLines)
    held: list[str] = field(default_factory=list)  # until the questions before it are answered
    ended: bool = False
    error: Failed | None = None


class Conversation:
    """One connection to control. Commands may be on the way together; their answers are told in their order."""

    def __init__(self, run: RunDirectory) -> None:
        """Begin to connect. Raises Failed where bgpbus does not run."""
        if not run.control.exists() and not is_locked(run.lock("run")):
            raise Failed(
                f"bgpbus is not running in {run.path} (there is no {run.control}).\n"
                "Start it with 'bgpbus run FILE', or name its run directory with 'bgpbus --run-dir DIRECTORY …'."
            )
        self._path = run.control
        self._loop = Loop()
        self._asked: deque[Question] = deque()
        self._number = 0
        self._client = Client(self._loop, run.control, self._received, self._connected, self._bad)

    def ask(self, line: str, take: Take, end: End) -> None:
        """Send a command, once there is room for it. Raises Failed where control is not there."""
        self.settle(MOST_ASKED - 1)
        self._loop.call_soon(lambda: None)  # so that this does not wait
        self._loop.turn()  # control may have come back while nobody looked
        if not self._is_there():
            self._end_all(ENDED)
            raise Failed(f"bgpbus does not answer: it has ended, or is about to come back ({self._path})")
        self._number += 1
        question = Question(self._number, take, end)
        self._asked.append(question)
        try:
            if not self._client.send(Command(self._number, "", line)):
                self._end(question, Failed(f"the command could not be sent ({self._path})"))
        except UnfitMessage as error:
            self._end(question, Failed(f"{error} ({self._path})"))

    def settle(self, left: int = 0) -> None:
        """Wait until no more than so many commands are not answered."""
        while len(self._asked) > left:
            if self._is_there():
                self._loop.turn()
            else:
                self._end_all(ENDED)

    def close(self) -> None:
        """Leave."""
        self._client.close()
        self._loop.close()

    def _is_there(self) -> bool:
        """Wait for control for a while, where it is away."""
        if self._client.connected:
            return True
        deadline = self._loop.now() + CONNECT_SECONDS
        timer = self._loop.call_at(deadline, lambda: None)
        while not self._client.connected and self._loop.now() < deadline:
            self._loop.turn()
        timer.cancel()
        return self._client.connected

    def _connected(self) -> None:
        self._end_all(ENDED)

    def _bad(self, reason: str) -> None:
        self._end_all(f"control sent what we cannot read: {reason}")

    def _end_all(self, error: str) -> None:
        for question in list(self._asked):
            self._end(question, Failed(f"{error} ({self._path})"))

    def _received(self, message: Message) -> None:
        if not isinstance(message, Answer):
            return
        question = next((each for each in self._asked if each.request == message.request), None)
        if question is None:
            return
        question.held += question.lines.take(message)
        if message.final:
            self._end(question, Refused(message.error) if message.error else None)
        else:
            self._tell()

    def _end(self, question: Question, error: Failed | None) -> None:
        question.ended, question.error = True, error
        self._tell()

    def _tell(self) -> None:
        """Pass on what has come for the first question, and for those after it as far as they are answered."""
        while self._asked:
            first = self._asked[0]
            lines, first.held = first.held, []
            if lines:
                first.take(lines)
            if not first.ended:
                return
            self._asked.popleft()
            first.end(first.error)


def print_lines(lines: list[str]) -> None:
    """Print lines of an answer."""
    sys.stdout.write("\n".join(lines) + "\n")


def ask(run: RunDirectory, line: str, take: Take) -> None:
    """Have control carry out a command line; `take` gets lines as they come. Raises Failed, Refused, Misconfigured."""
    errors: list[Failed | None] = []
    conversation = Conversation(run)
    try:
        conversation.ask(line, take, errors.append)
        conversation.settle()
    finally:
        conversation.close()
    error = errors[0]
    if isinstance(error, Refused) and error.message == _fault(line):
        raise Misconfigured(error.message)
    if error is not None:
        raise error


def _fault(line: str) -> str:
    """Return what is wrong with a command whenever it is given, or nothing."""
    from apid.grammar.command import parse_command  # only now: it takes 0.3 s

    try:
        parse_command(line)
    except GrammarError as error:
        return str(error)
    return ""


def ask_json(run: RunDirectory, line: str) -> Any:
    """Have control carry out a command whose answer is one JSON value."""
    lines: list[str] = []
    ask(run, line, lines.extend)
    return json.loads("\n".join(lines))

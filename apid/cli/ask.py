"""Ask control from the command line: one command line out, lines of an answer back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from apid.answer_lines import AnswerLines
from apid.cli.errors import Failed
from bus.daemon import RunDirectory, is_locked
from bus.loop import Loop
from bus.schema import Answer, Command, Message
from bus.transport import Client, UnfitMessage

CONNECT_SECONDS = 5.0  # for control to be there; it may be starting
REQUEST = 1


class Exchange:
    """One question and its answer."""

    def __init__(self, run: RunDirectory, line: str, take: Callable[[list[str]], None]) -> None:
        self._line, self._take = line, take
        self._loop = Loop()
        self._asked = False
        self._lines = AnswerLines()
        self.error: str | None = None
        self.answered = False
        self._timer = self._loop.call_later(CONNECT_SECONDS, self._give_up)
        self._client = Client(self._loop, run.control, self._received, self._connected, self._bad)

    def _connected(self) -> None:
        if self._asked:
            # What was asked before may have been done: asking again could do it twice.
            self.error = "control ended before it answered; it may or may not have carried out the command"
            self._loop.stop()
            return
        self._timer.cancel()
        try:
            self._asked = self._client.send(Command(REQUEST, "", self._line))
        except UnfitMessage as error:
            self.error = str(error)
            self._loop.stop()

    def _give_up(self) -> None:
        self.error = "bgpbus does not answer: it has ended, or is about to come back"
        self._loop.stop()

    def _bad(self, reason: str) -> None:
        self.error = f"control sent what we cannot read: {reason}"
        self._loop.stop()

    def _received(self, message: Message) -> None:
        if not isinstance(message, Answer) or message.request != REQUEST:
            return
        if lines := self._lines.take(message):
            self._take(lines)
        if message.final:
            self.answered, self.error = True, message.error
            self._loop.stop()

    def run(self) -> str:
        """Wait for the answer; return its error, or nothing."""
        self._loop.run()
        self._loop.close()
        return self.error or ""


def ask(run: RunDirectory, line: str, take: Callable[[list[str]], None]) -> None:
    """Have control carry out a command line; `take` gets lines as they come. Raises Failed."""
    if not run.control.exists() and not is_locked(run.lock("run")):
        raise Failed(
            f"bgpbus is not running in {run.path} (there is no {run.control}).\n"
            "Start it with 'bgpbus run FILE', or name its run directory with 'bgpbus --run-dir DIRECTORY …'."
        )
    exchange = Exchange(run, line, take)
    error = exchange.run()
    if error and not exchange.answered:
        raise Failed(f"{error} ({run.control})")
    if error:
        raise Failed(error)


def ask_json(run: RunDirectory, line: str) -> Any:
    """Have control carry out a command whose answer is one JSON value."""
    lines: list[str] = []
    ask(run, line, lines.extend)
    return json.loads("\n".join(lines))

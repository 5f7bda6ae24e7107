"""Questions to another daemon: each is answered once, by its reply, or by None when time is up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from apid.control.jobs import Step
from bus.loop import Loop, Timer
from bus.schema import Message, RouteCounts, RoutePage, SessionReply, SessionRequest, Spent
from bus.transport import Client, UnfitMessage

PEERD_SECONDS = 2.0  # a peerd that is away this long shows as down
RIBD_SECONDS = 10.0  # ribd comes back within this, with a large journal

Reply = SessionReply | RoutePage | RouteCounts


class Question:
    """One question that is out."""

    __slots__ = ("answer", "message", "sent", "timer")

    def __init__(self, message: Message, answer: Callable[[Any], None], timer: Timer) -> None:
        self.message, self.answer, self.timer = message, answer, timer
        self.sent = False


class Connection:
    """A daemon that may be away. `greeting` is said at every connection; `on_spent` gets what nobody asked for."""

    def __init__(
        self,
        loop: Loop,
        path: Path,
        on_bad: Callable[[str], None],
        greeting: Callable[[], Message] | None = None,
        on_spent: Callable[[Spent], None] | None = None,
    ) -> None:
        self._loop, self._greeting, self._on_bad, self._on_spent = loop, greeting, on_bad, on_spent
        self._questions: dict[int, Question] = {}
        self._number = 0
        self._client = Client(loop, path, self._received, self._connected, on_bad)

    def ask(self, make: Callable[[int], Message], seconds: float, answer: Callable[[Any], None]) -> None:
        """Ask what `make(number)` returns; a question that could not be sent yet waits for the daemon."""
        self._number += 1
        number, message = self._number, make(self._number)
        timer = self._loop.call_later(seconds, lambda: self._answer(number, None))
        self._questions[number] = question = Question(message, answer, timer)
        self._put(number, question)

    def tell(self, message: Message) -> None:
        """Say something that needs no answer, if the daemon is there."""
        self._client.send(message)

    def _connected(self) -> None:
        if self._greeting is not None:
            self._client.send(self._greeting())
        for number, question in list(self._questions.items()):
            # What was sent before may have been carried out: only its time limit can tell then.
            if not question.sent:
                self._put(number, question)

    def _put(self, number: int, question: Question) -> None:
        """Send a question; one that can never be sent is answered by None."""
        try:
            question.sent = self._client.send(question.message)
        except UnfitMessage as error:
            self._on_bad(f"not sent: {error}")
            self._answer(number, None)

    def _received(self, message: Message) -> None:
        if isinstance(message, Reply):
            self._answer(message.request, message)
        elif isinstance(message, Spent) and self._on_spent is not None:
            self._on_spent(message)
        else:
            self._on_bad(f"{type(message).__name__} is not for control")

    def _answer(self, number: int, reply: Reply | None) -> None:
        question = self._questions.pop(number, None)
        if question is not None:
            question.timer.cancel()
            question.answer(reply)

    def close(self) -> None:
        """Close; what was asked is answered by None."""
        for number in list(self._questions):
            self._answer(number, None)
        self._client.close()


def ask_sessions(
    connection: Callable[[str], Connection],
    action: str,
    questions: list[tuple[str, str, list[str]]],
    origin: str = "",
) -> Step:
    """Make the step that asks sessions at the same time: `(program, neighbor, arguments)` each.

    Its result is a list of replies in the same order, None for each that did not come in time.
    """

    def step(resume: Callable[[Any], None]) -> None:
        replies: list[SessionReply | None] = [None] * len(questions)
        missing = len(questions)
        if not missing:
            resume(replies)

        def take(place: int, reply: SessionReply | None) -> None:
            nonlocal missing
            replies[place] = reply
            missing -= 1
            if not missing:
                resume(replies)

        for place, (program, neighbor, arguments) in enumerate(questions):
            request = partial(_request, neighbor, action, arguments, origin)
            connection(program).ask(request, PEERD_SECONDS, partial(take, place))

    return step


def _request(neighbor: str, action: str, arguments: list[str], origin: str, number: int) -> SessionRequest:
    return SessionRequest(number, neighbor, action, arguments, origin)

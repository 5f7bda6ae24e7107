"""Questions to daemons that may be away."""

from __future__ import annotations

from typing import Any

import pytest

from apid.control import connection as module
from apid.control.connection import PEERD_SECONDS, Connection, ask_sessions
from bus.schema import MESSAGE_LIMIT, CountRoutes, Message, Reconfigure, SessionReply, SessionRequest, Spent, pack
from bus.transport import UnfitMessage
from tests.unit.control_stage import StillLoop


class FakeClient:
    """A connection that the test opens and closes."""

    def __init__(self, _loop: Any, _path: Any, on_message: Any, on_connect: Any, _on_bad: Any) -> None:
        self.connected = False
        self.sent: list[Message] = []
        self.receive, self._on_connect = on_message, on_connect

    def send(self, message: Message) -> bool:
        if self.connected and len(pack(message)) > MESSAGE_LIMIT:
            raise UnfitMessage("too large")
        if self.connected:
            self.sent.append(message)
        return self.connected

    def come(self) -> None:
        self.connected = True
        self._on_connect()

    def close(self) -> None:
        self.connected = False


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> StillLoop:
    monkeypatch.setattr(module, "Client", FakeClient)
    return StillLoop()


def connect(loop: StillLoop, greeting: Message | None = None) -> tuple[Any, Any]:
    made = Connection(loop, None, lambda reason: None, (lambda: greeting) if greeting else None)  # type: ignore
    return made, made._client


def request(number: int) -> SessionRequest:
    return SessionRequest(number, "n", "status", [])


def test_a_reply_answers_its_question(loop: StillLoop) -> None:
    connection, client = connect(loop)
    client.come()
    got: list[Any] = []
    connection.ask(request, 2.0, got.append)
    connection.ask(request, 2.0, got.append)
    second, first = SessionReply(2, "n", "", {}), SessionReply(1, "n", "", {})
    client.receive(second)
    client.receive(first)
    client.receive(first)
    assert got == [second, first]


def test_a_daemon_that_is_away_gives_none_when_time_is_up(loop: StillLoop) -> None:
    connection, _client = connect(loop)
    got: list[Any] = []
    connection.ask(request, 2.0, got.append)
    loop.run()
    assert got == [None]
    assert loop.now() == 2.0


def test_a_question_that_was_not_sent_waits_for_the_daemon(loop: StillLoop) -> None:
    connection, client = connect(loop)
    got: list[Any] = []
    connection.ask(request, 2.0, got.append)
    client.come()
    assert client.sent == [request(1)]
    client.receive(SessionReply(1, "n", "", {}))
    assert len(got) == 1


def test_a_question_that_was_sent_is_not_repeated(loop: StillLoop) -> None:
    connection, client = connect(loop)
    client.come()
    connection.ask(request, 2.0, lambda _: None)
    client.come()
    assert client.sent == [request(1)]


@pytest.mark.parametrize("early", [True, False])
def test_a_question_that_no_message_holds_is_answered_by_none(loop: StillLoop, early: bool) -> None:
    connection, client = connect(loop)
    got: list[Any] = []
    if not early:
        client.come()
    connection.ask(lambda number: CountRoutes(number, ["n" * MESSAGE_LIMIT]), 2.0, got.append)
    connection.ask(request, 2.0, got.append)
    if early:
        client.come()
    assert got == [None]
    assert client.sent == [request(2)]


def test_a_greeting_is_said_at_every_connection(loop: StillLoop) -> None:
    greeting = Reconfigure("connected")
    _connection, client = connect(loop, greeting)
    client.come()
    client.come()
    assert client.sent == [greeting, greeting]


def test_what_a_peerd_says_by_itself_is_handed_on_and_from_others_it_is_bad(loop: StillLoop) -> None:
    bad: list[str] = []
    spent: list[Message] = []
    peerd = Connection(loop, None, bad.append, on_spent=spent.append)  # type: ignore[arg-type]
    ribd = Connection(loop, None, bad.append)  # type: ignore[arg-type]
    for connection in (peerd, ribd):
        connection._client.receive(Spent(["a"]))  # type: ignore[attr-defined]
    assert spent == [Spent(["a"])]
    assert bad == ["Spent is not for control"]


def test_several_sessions_are_asked_at_the_same_time_and_answered_in_order(loop: StillLoop) -> None:
    connections = {"one": connect(loop), "two": connect(loop), "away": connect(loop)}
    for name in ("one", "two"):
        connections[name][1].come()
    got: list[Any] = []
    questions: list[tuple[str, str, list[str]]] = [("one", "a", []), ("away", "b", []), ("two", "c", ["x"])]
    ask_sessions(lambda program: connections[program][0], "status", questions)(got.append)
    assert connections["two"][1].sent == [SessionRequest(1, "c", "status", ["x"])]
    connections["two"][1].receive(SessionReply(1, "c", "", {}))
    connections["one"][1].receive(SessionReply(1, "a", "", {}))
    assert not got
    loop.run()
    assert [reply.neighbor if reply else None for reply in got[0]] == ["a", None, "c"]
    assert loop.now() == PEERD_SECONDS


def test_no_session_is_answered_at_once(loop: StillLoop) -> None:
    got: list[Any] = []
    ask_sessions(lambda program: connect(loop)[0], "status", [])(got.append)
    assert got == [[]]


def test_closing_answers_what_is_open(loop: StillLoop) -> None:
    connection, client = connect(loop)
    client.come()
    got: list[Any] = []
    connection.ask(request, 2.0, got.append)
    connection.close()
    assert got == [None]

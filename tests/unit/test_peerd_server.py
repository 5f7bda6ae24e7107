"""The sessions of one process: only those that changed are touched, and those that have ended are forgotten."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import peerd.server
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.schema import (
    FEED_STATE,
    ListenerSettings,
    Message,
    PeerdSettings,
    Reconfigure,
    SessionRequest,
    Settled,
    Spent,
    Spoken,
    Subscribe,
)
from bus.settings import ListenerConfiguration, PassiveNeighbor, SessionConfiguration, write_settings
from peerd.range import Range
from peerd.remembered import HELPERS, NEIGHBORS, Remembered
from peerd.server import ORIGINS_KEPT, PeerServer
from tests.unit.control_stage import compiled

(SETTINGS,) = compiled().peerds["peerd-127.0.0.12"].sessions
CONFIGURATION = SessionConfiguration.from_wire(SETTINGS)


class FakeSession:
    """A session that is closed when the test says."""

    def __init__(self, _loop: Any, configuration: SessionConfiguration, *ways: Any) -> None:
        self.configuration = configuration
        self.on_spent = ways[-1]
        self.closed = self.spent = False
        self.said: list[tuple[Any, ...]] = []

    def start(self) -> None:
        pass

    def use_up(self) -> None:
        self.spent = True
        self.on_spent()

    def stop(self, *why: Any) -> None:
        self.said.append(("stop", *why))

    def teardown(self, code: int) -> None:
        self.said.append(("teardown", code))

    def subscribe(self, identity: bytes, request: Subscribe) -> None:
        self.said.append(("subscribe", identity, request.helper))

    def spoken(self, identity: bytes, helper: str) -> None:
        self.said.append(("spoken", identity, helper))

    def settled(self, helper: str) -> None:
        self.said.append(("settled", helper))

    def shut(self, why: str | None) -> None:
        self.said.append(("shut", why))
        self.configuration = replace(self.configuration, shut=why)


class Process:
    """A peerd, its settings, and every session that it ever made."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.made: list[FakeSession] = []

        def make(*arguments: Any) -> FakeSession:
            self.made.append(FakeSession(*arguments))
            return self.made[-1]

        patch.setattr(peerd.server, "Session", make)
        self.run = RunDirectory(path)
        self.run.create()
        self.loop = Loop()
        self.configure(CONFIGURATION, start=False)
        self.server = PeerServer(self.loop, self.run, "peerd-x", "epoch", logging.getLogger("test"))
        self.server.configure()

    def configure(self, *sessions: SessionConfiguration, start: bool = True) -> None:
        write_settings(self.run.settings / "peerd-x", PeerdSettings("peerd-x", [each.to_wire() for each in sessions]))
        if start:
            self.server.configure()


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    made = Process(tmp_path, monkeypatch)
    yield made
    made.loop.unwatch(made.server._handover.fileno())
    made.server._handover.close()
    made.loop.close()


def test_sessions_that_have_ended_are_forgotten(process: Process) -> None:
    for port in range(1, 100):
        process.configure(replace(CONFIGURATION, port=port))
        assert process.made[-2].said == [("stop", "configuration changed", 3, True)]
        process.made[-2].closed = port % 10 > 0
    assert len(process.server._leaving) == 10  # nine that linger, and the last one
    for session in process.made[:-1]:
        session.closed = True
    process.configure()
    assert process.server._leaving == [process.made[-1]]
    assert process.made[-1].said == [("stop", "removed", 3, False)]


def test_a_session_goes_on_where_only_what_is_around_it_changed(process: Process) -> None:
    others = {name: ["another"] for name in ("helpers", "speakers", "announcers")}
    process.configure(replace(CONFIGURATION, **others, end_of_rib_wait=9.0))
    process.configure(replace(CONFIGURATION, shut="maintenance"))
    assert len(process.made) == 1
    assert process.made[0].said == [("shut", "maintenance")]


def test_a_range_whose_listener_is_told_of_another_neighbor_goes_on_and_knows_of_it(process: Process) -> None:
    wanted = replace(CONFIGURATION, name="127.0.0.0/24", peer_address="127.0.0.0/24")
    process.configure(wanted)
    made = process.server._sessions[wanted.name]
    assert isinstance(made, Range)
    assert not made._ceded("127.0.0.9", "127.0.0.1")
    own = PassiveNeighbor("127.0.0.9", "peerd-y", "127.0.0.9", "", b"", None, None)
    settings = ListenerConfiguration([], [own.to_wire()])
    write_settings(process.run.settings / "listener", ListenerSettings(settings.to_wire()))
    process.configure(wanted)
    assert process.server._sessions[wanted.name] is made
    assert made._ceded("127.0.0.9", "127.0.0.1")
    process.configure(wanted, replace(wanted, name="127.0.0.0/8", peer_address="127.0.0.0/8"))
    later = process.server._sessions["127.0.0.0/8"]
    assert isinstance(later, Range)
    assert later._ceded("127.0.0.9", "127.0.0.1")


def test_a_process_that_ends_begins_no_session_anew_whoever_asks_it_to_read_its_settings(process: Process) -> None:
    process.server.stop()
    process.configure(replace(CONFIGURATION, port=1))
    assert len(process.made) == 1
    assert process.made[0].said == [("stop",)]


def test_a_process_that_ends_takes_no_more_connections(process: Process) -> None:
    path = process.run.handover("peerd-x")
    assert path.exists()
    process.server.stop()
    assert not path.exists()


def request(process: Process, origin: str, code: str = "4", name: str = CONFIGURATION.name) -> str:
    answer = process.server._request(SessionRequest(1, name, "teardown", [code], origin))
    assert (answer.request, answer.neighbor) == (1, name)
    return answer.error


def test_what_a_command_has_had_done_is_not_done_again_when_it_is_repeated(process: Process) -> None:
    (session,) = process.made
    for _ in range(3):
        assert request(process, "p/life/1") == ""
    assert session.said == [("teardown", 4)]
    assert (
        request(process, "p/life/2") == request(process, "p/another life/1") == request(process, "p/life/1", "2") == ""
    )
    assert session.said == [("teardown", 4)] * 3 + [("teardown", 2)]
    assert request(process, "") == request(process, "") == ""  # whoever has no name for it means it each time
    assert len(session.said) == 6


def test_what_failed_may_be_tried_again(process: Process) -> None:
    assert "invalid literal" in request(process, "p/life/1", "x")
    assert "is not here" in request(process, "p/life/1", name="192.0.2.99")
    assert process.server._done == {}


def test_only_so_many_commands_are_remembered(process: Process) -> None:
    for number in range(2 * ORIGINS_KEPT):
        request(process, f"p/life/{number}")
    assert len(process.server._done) == ORIGINS_KEPT
    request(process, f"p/life/{2 * ORIGINS_KEPT - 1}")
    assert len(process.made[0].said) == 2 * ORIGINS_KEPT


NAME = CONFIGURATION.name
WITH_HELPERS = replace(CONFIGURATION, helpers=["p"], speakers=["p", "q"], announcers=["p"])


def subscribe(helper: str, kinds: int = 1 << FEED_STATE, name: str = NAME) -> Subscribe:
    return Subscribe(name, helper, kinds, 0, 0, 1000)


def say(process: Process, *words: Message) -> None:
    for word in words:
        process.server._message(b"bridge", word, b"")


def test_what_bridges_said_about_a_neighbor_holds_for_the_session_that_begins_anew(process: Process) -> None:
    say(process, subscribe("p"), Spoken(NAME, "p"), Settled(NAME, "p"), Spoken(NAME, "q"), subscribe("q"))
    for port in (1, 2):
        process.configure(replace(WITH_HELPERS, port=port))
        assert process.made[-1].said == [
            ("subscribe", b"bridge", "p"),
            ("spoken", b"bridge", "p"),
            ("settled", "p"),
            ("spoken", b"bridge", "q"),
            ("subscribe", b"bridge", "q"),
        ]
    process.server._request(SessionRequest(1, NAME, "leave", [], ""))
    say(process, subscribe("p", 0))
    process.configure(replace(WITH_HELPERS, port=3))
    assert process.made[-1].said == [("spoken", b"bridge", "q"), ("subscribe", b"bridge", "q")]


def test_what_bridges_say_about_a_neighbor_before_it_is_known_here_is_not_lost(process: Process) -> None:
    process.configure()
    say(process, subscribe("p"))
    process.configure(WITH_HELPERS)
    assert process.made[-1].said == [("subscribe", b"bridge", "p")]


def test_what_a_helper_said_is_forgotten_once_the_neighbor_has_it_no_more(process: Process) -> None:
    say(process, subscribe("p"), Settled(NAME, "p"), subscribe("q"))
    process.configure(replace(CONFIGURATION, helpers=["q"], speakers=["q"], announcers=[]))
    process.configure(replace(WITH_HELPERS, port=1))
    assert process.made[-1].said == [("subscribe", b"bridge", "q")]


def test_only_so_much_of_what_is_said_is_remembered() -> None:
    remembered = Remembered()
    for number in range(2 * NEIGHBORS):
        remembered.note(b"bridge", subscribe("p", name=str(number)))
    for number in range(2 * HELPERS):
        remembered.note(b"bridge", subscribe(f"p{number}"))
    assert len(remembered._words) == NEIGHBORS
    assert len(remembered._words[NAME]) == HELPERS
    for number in range(2 * HELPERS):
        remembered.note(b"bridge", subscribe(f"p{number}", 0))
    assert NAME not in remembered._words


def test_control_is_told_which_sessions_have_used_up_their_attempts_when_it_asks_and_when_that_changes(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[bytes, Message]] = []
    monkeypatch.setattr(process.server._server, "send", lambda identity, message: told.append((identity, message)))
    (session,) = process.made
    session.use_up()
    assert told == []  # nobody has asked
    process.server._message(b"control", Reconfigure("connected"), b"")
    process.configure(CONFIGURATION, replace(CONFIGURATION, name="192.0.2.9"))
    process.made[1].use_up()
    process.server._message(b"its successor", Reconfigure("connected"), b"")
    both = Spent([CONFIGURATION.name, "192.0.2.9"])
    assert told == [(b"control", Spent([CONFIGURATION.name])), (b"control", both), (b"its successor", both)]

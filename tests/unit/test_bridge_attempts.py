"""What a helper waits for at its start: all sessions of its neighbors, for a bounded time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import apid.bridge.attempts
from apid.bridge.attempts import FirstAttempts
from apid.compile import compile_configuration
from apid.config.load import load_text
from apid.config.options import Environment
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.schema import FEED_TRIED, Feed, Message, Subscribe
from bus.settings import ApiBinding

NEIGHBOR = """neighbor %s { router-id 10.0.0.1; local-address 192.0.2.9; local-as 65001; peer-as 65002; %s
    api { processes [ feed ]; } }
"""
PROCESS = "process feed { run /bin/cat; encoder text; }\n"
TWO = PROCESS + NEIGHBOR % ("192.0.2.1", "") + NEIGHBOR % ("192.0.2.2", "")
RANGE = PROCESS + NEIGHBOR % ("198.51.100.0/24", "passive;")


class FakeClient:
    """A peerd that answers when the test says."""

    made: list[FakeClient]

    def __init__(
        self, _loop: object, _path: Path, said: Callable[[Message], None], connected: Callable[[], None], _bad: object
    ) -> None:
        self.said, self.connected = said, connected
        self.asked: list[Message] = []
        self.closed = False
        FakeClient.made.append(self)

    def send(self, message: Message) -> bool:
        self.asked.append(message)
        return True

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Loop, list[str]]]:
    FakeClient.made = []
    monkeypatch.setattr(apid.bridge.attempts, "Client", FakeClient)

    def begin(text: str) -> tuple[Loop, list[str]]:
        loop, over = Loop(), list[str]()
        compiled = compile_configuration(load_text(text, {}), Environment(), "test")
        bindings = [ApiBinding.from_wire(each) for each in compiled.helpers["feed"].helper["bindings"]]
        FirstAttempts(loop, RunDirectory(tmp_path), bindings, lambda: over.append("over"), over.append).wait(0.05)
        for client in FakeClient.made:
            client.connected()
        return loop, over

    return begin


def tried(neighbor: str) -> Feed:
    """Return what a session says."""
    return Feed(neighbor, 1, 0, [[0.0, FEED_TRIED, b""]])


def test_it_is_over_once_every_session_has_said_so(begin: Callable[[str], tuple[Loop, list[str]]]) -> None:
    loop, over = begin(TWO)
    one, two = FakeClient.made
    assert one.asked + two.asked == [
        Subscribe(name, "", 1 << FEED_TRIED, 0, 0, 0)
        for name in (one.asked[0].neighbor, two.asked[0].neighbor)  # type: ignore[attr-defined]
    ]
    one.said(tried("192.0.2.1"))
    one.said(tried("192.0.2.1"))
    loop.call_soon(lambda: None)
    loop.turn()
    assert over == []
    two.said(tried("192.0.2.2"))
    loop.turn()
    assert over == ["over"]
    assert one.closed
    assert two.closed


def test_it_is_over_after_its_time_and_only_once(begin: Callable[[str], tuple[Loop, list[str]]]) -> None:
    loop, over = begin(TWO)
    while not over:
        loop.turn()
    FakeClient.made[0].said(tried("192.0.2.1"))
    FakeClient.made[1].said(tried("192.0.2.2"))
    loop.call_soon(lambda: None)
    loop.turn()
    assert over == ["over"]


def test_nobody_waits_for_a_range(begin: Callable[[str], tuple[Loop, list[str]]]) -> None:
    _, over = begin(RANGE)
    assert over == ["over"]
    assert FakeClient.made == []

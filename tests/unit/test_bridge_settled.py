"""Who hears that a helper has spoken, or announced what it had to at its start: whoever waits, when it is there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import apid.bridge.feeds
from apid.bridge.feeds import Feeds
from apid.compile import compile_configuration
from apid.config.load import load_text
from apid.config.options import Environment
from apid.render.envelope import ProcessContext
from bus.daemon import RunDirectory
from bus.schema import FEED_TRIED, Feed, Message, Settled, Spoken
from bus.settings import ApiBinding, HelperConfiguration
from tests.unit.rib_bench import FakeLoop

TEXT = """
process feed { run /bin/cat; encoder text; }
neighbor 192.0.2.1 { router-id 10.0.0.1; local-address 192.0.2.9; local-as 65001; peer-as 65002;
    capability { graceful-restart 60; } api { processes [ feed ]; } }
neighbor 192.0.2.2 { router-id 10.0.0.1; local-address 192.0.2.9; local-as 65001; peer-as 65002;
    capability { graceful-restart 60; } end-of-rib-wait 0; api { processes [ feed ]; neighbor-changes; } }
neighbor 192.0.2.3 { router-id 10.0.0.1; local-address 192.0.2.9; local-as 65001; peer-as 65002;
    api { processes [ feed ]; neighbor-changes; } }
neighbor 192.0.2.4 { router-id 10.0.0.1; local-address 192.0.2.9; local-as 65001; peer-as 65002;
    capability { graceful-restart 60; } manual-eor; api { processes [ feed ]; } }
"""


class FakeClient:
    """A peerd that is there when the test says."""

    made: dict[str, FakeClient]

    def __init__(
        self, _loop: object, path: Path, say: Callable[[Message], None], connected: Callable[[], None], _bad: object
    ) -> None:
        self.say, self.connected = say, connected
        self.told: list[tuple[type[Message], str]] = []
        FakeClient.made[path.name] = self

    def send(self, message: Message) -> bool:
        if isinstance(message, Settled | Spoken):
            self.told.append((type(message), message.neighbor))
        return True

    def close(self) -> None:
        """Nobody is there any more."""


class Bed:
    """A helper's feeds, of which it is noted when every session was tried."""

    def __init__(self, path: Path, text: str) -> None:
        FakeClient.made = {}
        self.over: list[str] = []
        loop: Any = FakeLoop()
        log = logging.getLogger("bgpbus.test")
        self.feeds = Feeds(loop, RunDirectory(path), print, print, lambda: False, lambda: self.over.append("over"), log)
        compiled = compile_configuration(load_text(text, {}), Environment(), "test")
        self.helper = HelperConfiguration.from_wire(compiled.helpers["feed"].helper)
        self.bindings = [ApiBinding.from_wire(each) for each in self.helper.bindings]
        self.configure(self.bindings)
        self.clients = list(FakeClient.made.values())

    def configure(self, bindings: list[ApiBinding]) -> None:
        self.feeds.configure(self.helper, bindings, ProcessContext("host", 1, 1))

    def connect(self) -> None:
        for client in self.clients:
            client.connected()

    def told(self) -> list[list[tuple[type[Message], str]]]:
        told = [client.told for client in self.clients]
        for client in self.clients:
            client.told = []
        return told


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bed]:
    monkeypatch.setattr(apid.bridge.feeds, "Client", FakeClient)
    return lambda text: Bed(tmp_path, text)


def tried(number: int) -> Feed:
    """Return what a session says whose first attempt is over."""
    return Feed(f"192.0.2.{number}", 1, 0, [[0.0, FEED_TRIED, b""]])


def test_all_sessions_hear_that_a_helper_has_spoken_now_and_when_they_come_back(bed: Callable[[str], Bed]) -> None:
    four = bed(TEXT)
    four.connect()
    assert four.told() == [[], [], [], []]
    spoken = [[(Spoken, f"192.0.2.{number}")] for number in range(1, 5)]
    four.feeds.spoken()
    assert four.told() == spoken
    four.connect()
    assert four.told() == spoken


def test_it_is_over_once_every_session_was_tried_and_only_once(bed: Callable[[str], Bed]) -> None:
    four = bed(TEXT)
    four.clients[0].say(tried(1))
    four.feeds.spoken()
    for number in (1, 1, 2, 3):
        four.clients[number - 1].say(tried(number))
    assert four.over == []
    four.clients[3].say(tried(4))
    four.clients[3].say(tried(4))
    assert four.over == ["over"]


def test_nobody_waits_for_a_neighbor_that_is_removed_nor_for_a_range(bed: Callable[[str], Bed]) -> None:
    four = bed(TEXT)
    four.feeds.spoken()
    four.configure(four.bindings[:1])
    assert four.over == []
    four.configure([])
    assert four.over == ["over"]
    ranged = bed(TEXT.replace("192.0.2.4 {", "198.51.100.0/24 { passive;"))
    ranged.configure(ranged.bindings[3:])
    ranged.feeds.spoken()
    assert ranged.over == ["over"]


def test_only_sessions_that_wait_are_told_now_and_when_they_come_back(bed: Callable[[str], Bed]) -> None:
    four = bed(TEXT)
    four.connect()
    four.feeds.settled()
    four.connect()
    assert four.told() == [[(Settled, "192.0.2.1")] * 2, [], [], []]

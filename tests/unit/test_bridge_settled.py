"""Who is told that a helper has announced what it had to: the sessions that wait for it, whenever they are there."""

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
from bus.schema import Message, Settled
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

    def __init__(self, _loop: object, path: Path, _on_message: object, connected: Callable[[], None], _bad: object):
        self.connected = connected
        self.settled: list[str] = []
        FakeClient.made[path.name] = self

    def send(self, message: Message) -> bool:
        if isinstance(message, Settled):
            self.settled.append(message.neighbor)
        return True


def test_only_sessions_that_wait_are_told_now_and_when_they_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeClient.made = {}
    monkeypatch.setattr(apid.bridge.feeds, "Client", FakeClient)
    loop: Any = FakeLoop()
    feeds = Feeds(loop, RunDirectory(tmp_path), print, print, lambda: False, logging.getLogger("bgpbus.test"))
    compiled = compile_configuration(load_text(TEXT, {}), Environment(), "test")
    helper = HelperConfiguration.from_wire(compiled.helpers["feed"].helper)
    feeds.configure(helper, [ApiBinding.from_wire(each) for each in helper.bindings], ProcessContext("host", 1, 1))
    clients = FakeClient.made.values()
    for client in clients:
        client.connected()
    assert [client.settled for client in clients] == [[], [], []]  # nobody asks the fourth anything
    feeds.settled()
    for client in clients:
        client.connected()
    assert [client.settled for client in clients] == [["192.0.2.1"] * 2, [], []]

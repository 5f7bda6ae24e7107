"""Groups, waiting for the wire, reasons of errors, and rules beyond a limit: the bridge's side of each."""

from __future__ import annotations

import json
import logging

import pytest
from msgspec.structs import replace

import apid.bridge.batch
import apid.bridge.commands
from apid.bridge.batch import Batch
from apid.bridge.commands import Commands
from apid.bridge.targets import Targets
from apid.riblink import RibLink
from bgp.family import IPV4_UNICAST
from bus.schema import Applied, Apply, Message, Refused, Sync, pack
from tests.unit.test_bridge_targets import BINDING, OTHER

ROUTE = b"announce route 10.0.0.%d/32 next-hop 192.0.2.1\n"
RULE = b"announce flow route { match { destination 10.0.0.%d/32; } then { discard; } }\n"
NAMES = ["192.0.2.1", "192.0.2.9"]


class Stage:
    """Commands with a link to a ribd that answers when the test says."""

    def __init__(self, limit: int | None = None) -> None:
        self.requests: list[Apply | Sync] = []
        self.said = b""
        self.asked: list[str] = []
        self.link = RibLink("helper-p", "epoch", self._send)
        targets = Targets()
        targets.configure([replace(BINDING, flow_limit=limit), OTHER])
        log = logging.getLogger("bgpbus.test")
        self.commands = Commands(self.link, targets, self._answer, self.asked.append, log, "version", True)

    def _send(self, message: Message) -> bool:
        assert isinstance(message, Apply | Sync)
        self.requests.append(message)
        return True

    def _answer(self, line: bytes, count: int) -> None:
        self.said += line * count

    def feed(self, octets: bytes) -> None:
        self.commands.feed(octets, 0.0)

    def take(self, reason: str = "") -> Apply | Sync:
        """Answer the oldest request; return it."""
        request = self.requests.pop(0)
        number = request.sequence
        self.link.answered(Refused(number, reason) if reason else Applied(number))
        self.commands.work(0.0)
        return request

    def heard(self) -> list[str]:
        """Return and forget what the helper was told."""
        said, self.said = self.said, b""
        return said.decode().splitlines()


@pytest.fixture
def stage() -> Stage:
    return Stage()


def routes(request: Apply | Sync) -> int:
    assert isinstance(request, Apply)
    return sum(len(change[5]) for change in request.changes)


# Groups


def test_commands_of_a_group_are_answered_at_once_and_are_one_request_at_its_end(stage: Stage) -> None:
    stage.feed(b"group start\n" + ROUTE % 1 + ROUTE % 2)
    stage.feed(b"neighbor 192.0.2.9 withdraw route 10.0.0.1/32\npeer * " + ROUTE % 3 + b"# a comment\n")
    assert stage.heard() == ["done"] * 6
    assert stage.requests == []
    stage.feed(b"group end\n")
    assert stage.heard() == []
    request = stage.take()
    assert isinstance(request, Apply)
    assert [(request.targets[row[0]], row[1], len(row[5])) for row in request.changes] == [
        (NAMES, 1, 2),
        (["192.0.2.9"], 0, 1),
        (NAMES, 1, 1),
    ]
    said, done = stage.heard()
    assert json.loads(said) == {"status": "group processed", "commands": 4, "announced": 3, "withdrawn": 1}
    assert done == "done"
    assert stage.commands.count == 7


def test_what_stands_around_a_group_in_one_read_keeps_its_order(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + b"group start\n" + ROUTE % 2 + b"group end\n" + ROUTE % 3)
    assert [routes(request) for request in stage.requests] == [1, 1, 1]
    while stage.requests:
        stage.take()
    assert [line[:4] for line in stage.heard()] == ["done", "done", "done", '{"st', "done", "done"]


@pytest.mark.parametrize(
    "wrong",
    [
        b"nonsense\n",
        b"neighbor 192.0.2.7 " + ROUTE % 1,
        b"group start\n",
        b"show neighbor summary\n",
        b"announce eor ipv4 unicast\n",
        b"peer * group announce route 10.0.0.1/32 next-hop self ; withdraw route 10.0.0.1/32\n",
        b"announce route 10.0.0.9/32 next-hop 192.0.2.1 watchdog dog\n",
        b"session sync\n",
    ],
)
def test_a_wrong_command_makes_the_whole_group_fail(stage: Stage, wrong: bytes) -> None:
    stage.feed(b"group start\n" + ROUTE % 1 + wrong + ROUTE % 2 + b"group end\n" + ROUTE % 3)
    assert [routes(request) for request in stage.requests] == [1]
    stage.take()
    assert stage.heard() == ["done", "done", "error", "done", "error", "done"]
    assert stage.asked == []


def test_a_refusal_of_ribd_is_the_answer_to_the_end_of_the_group(stage: Stage) -> None:
    stage.feed(b"session ack explain\ngroup start\n" + ROUTE % 1 + b"group end\n")
    stage.take("the journal cannot be written")
    assert stage.heard() == ["done", "done", "done", "error: the journal cannot be written", "error"]


def test_a_group_without_commands_is_done_and_an_end_without_a_start_is_an_error(stage: Stage) -> None:
    stage.feed(b"group end\ngroup start\ngroup end\n")
    error, done, said, last = stage.heard()
    assert (error, done, json.loads(said)["commands"], last) == ("error", "done", 0, "done")


def test_a_group_with_too_many_commands_fails_and_is_not_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.batch, "MOST_COMMANDS", 3)
    stage.feed(b"group start\n" + ROUTE % 1 + ROUTE % 2 + ROUTE % 3 + b"group end\n")
    stage.take()
    stage.heard()
    stage.feed(b"group start\n" + ROUTE % 1 + ROUTE % 2 + ROUTE % 3 + RULE % 4 + RULE % 5 + b"group end\n")
    assert stage.requests == []
    assert stage.heard() == ["done"] * 4 + ["error"] * 3


def test_a_group_that_the_bus_cannot_carry_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.batch, "MOST_OCTETS", 100)
    stage.feed(b"group start\n" + b"".join(ROUTE % number for number in range(20)) + b"group end\n")
    assert stage.requests == []
    assert stage.heard() == ["done"] + ["error"] * 21


def test_a_group_whose_helper_is_gone_is_given_up(stage: Stage) -> None:
    stage.feed(b"group start\n" + ROUTE % 1)
    assert stage.heard() == ["done", "done"]
    stage.commands.reset()
    stage.feed(ROUTE % 2 + b"group end\n")
    stage.take()
    assert stage.requests == []
    assert stage.heard() == ["done", "error"]


def test_a_group_that_was_complete_when_its_helper_died_is_carried_out_unheard(stage: Stage) -> None:
    stage.feed(b"version\nping\n" + b"group start\n" + ROUTE % 1 + b"group end\n")
    assert stage.asked == ["ping"]
    stage.heard()
    stage.commands.reset()
    stage.commands.finish("")
    stage.commands.work(0.0)
    stage.take()
    assert stage.heard() == []


# The wire


def test_session_sync_asks_ribd_about_all_neighbors_once_everything_is_acknowledged(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + b"session sync 3\n" + ROUTE % 2)
    stage.take()
    assert stage.heard() == ["done"]
    assert stage.requests == [Sync("helper-p", "epoch", 2, NAMES, 3.0)]
    stage.take()
    assert stage.heard() == ["done"]
    assert routes(stage.take()) == 1


def test_a_session_sync_that_is_late_is_an_error(stage: Stage) -> None:
    stage.feed(b"session sync\n")
    stage.take("not written after 10 s: 192.0.2.1")
    assert stage.heard() == ["error"]


def test_with_sync_on_answers_wait_for_the_neighbors_that_were_addressed(stage: Stage) -> None:
    stage.feed(b"session sync enable\nneighbor 192.0.2.9 " + ROUTE % 1)
    stage.take()
    assert stage.heard() == ["done"]
    request = stage.take()
    assert isinstance(request, Sync)
    assert request.neighbors == ["192.0.2.9"]
    assert stage.heard() == ["done"]
    stage.feed(b"session sync disable\n" + ROUTE % 2)
    stage.take()
    assert stage.heard() == ["done", "done"]
    assert stage.requests == []


def test_a_command_says_for_itself_whether_its_answer_waits(stage: Stage) -> None:
    stage.feed(ROUTE[:-1] % 1 + b" sync\n" + ROUTE % 2)
    assert [routes(request) for request in stage.requests] == [1, 1]
    first = stage.requests.pop(0)
    stage.take()
    assert stage.heard() == []
    stage.link.answered(Applied(first.sequence))
    assert isinstance(stage.take(), Sync)
    assert stage.heard() == ["done", "done"]
    stage.feed(b"enable-sync\n" + ROUTE[:-1] % 3 + b" async\n")
    stage.take()
    assert stage.heard() == ["done", "done"]


# Reasons


def test_an_error_has_its_reason_in_front_where_that_was_asked_for(stage: Stage) -> None:
    stage.feed(b"nonsense\nsession ack explain\nnonsense\nping\n")
    stage.commands.finish("control\nis away")
    stage.feed(b"session ack enable\nnonsense\n")
    first, done, reason, error, *rest = stage.heard()
    assert (first, done, error) == ("error", "done", "error")
    assert reason.startswith("error: unknown command 'nonsense'")
    assert rest == ["error: control\\x0ais away", "error", "done", "error"]


def test_the_next_helper_has_to_ask_for_reasons_and_sync_again(stage: Stage) -> None:
    stage.feed(b"session ack explain\nsession sync enable\n")
    stage.commands.reset()
    stage.heard()
    stage.feed(b"nonsense\n" + ROUTE % 1)
    stage.take()
    assert stage.heard() == ["error", "done"]
    assert stage.requests == []


# Leases


def test_a_lease_goes_with_the_change_and_other_routes_have_none(stage: Stage) -> None:
    stage.feed(
        ROUTE % 1 + ROUTE[:-1] % 2 + b" ttl 5m\n" + ROUTE[:-1] % 3 + b" ttl 300\n" + RULE[:-1] % 4 + b" ttl 1h\n"
    )
    request = stage.take()
    assert isinstance(request, Apply)
    assert [(len(row[5]), row[6:]) for row in request.changes] == [(1, []), (2, [300]), (1, [3600])]


# Limits


def test_rules_that_are_refused_together_are_tried_one_by_one_before_what_follows() -> None:
    stage = Stage(limit=2)
    stage.feed(RULE % 1 + RULE % 2 + RULE % 3 + ROUTE % 1 + RULE % 4)
    assert routes(stage.take("full")) == 3
    assert stage.heard() == []
    for reason in ("", "", "full"):
        assert len(stage.requests) == 1
        assert routes(stage.take(reason)) == 1
    assert stage.heard() == ["done", "done", "error"]
    assert routes(stage.take()) == 1  # the plain route, which only now is on its way
    assert stage.heard() == ["done"]
    stage.take("full")
    assert stage.heard() == ["error"]
    assert (stage.commands.count, stage.commands.errors) == (5, 2)


def test_rules_for_neighbors_without_a_limit_are_not_held_back(stage: Stage) -> None:
    stage.feed(RULE % 1 + ROUTE % 1)
    stage.feed(RULE % 2)
    assert len(stage.requests) == 2
    stage = Stage(limit=2)
    stage.feed(b"neighbor 192.0.2.9 " + RULE % 1 + ROUTE % 1)
    assert len(stage.requests) == 1


def test_pieces_of_a_helper_that_is_gone_are_answered_to_nobody() -> None:
    stage = Stage(limit=2)
    stage.feed(RULE % 1 + RULE % 2)
    stage.commands.reset()
    stage.feed(RULE % 3)
    stage.take("full")
    for _ in range(3):
        stage.take()
    assert stage.heard() == ["done"]


def test_the_size_of_a_batch_is_no_less_than_its_message(stage: Stage) -> None:
    batch = Batch()
    names = tuple(f"2001:db8:ffff:ffff:ffff:ffff:ffff:{number:x}" for number in range(0x1000, 0x1000 + 2000))
    for number in range(100):
        batch.add(names[number:], True, IPV4_UNICAST, bytes(60), [bytes(4) + b"\x18\x0a\x00\x00"], 30)
    assert batch.size >= len(pack(Apply("", "", 1, batch.targets, batch.changes))) - 50

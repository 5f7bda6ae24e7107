"""A helper's commands: batched for ribd, answered exactly once and in order, refused without a change."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import apid.bridge.commands
import apid.riblink
from apid.bridge.commands import LINE_LIMIT, Commands
from apid.bridge.targets import Targets
from apid.riblink import WINDOW, RibLink
from bus.schema import MESSAGE_LIMIT, Applied, Apply, Message, Refused, Sync, pack
from bus.transport import UnfitMessage
from ribd.turns import Turns
from tests.unit.test_bridge_targets import BINDING, OTHER

ROUTE = b"announce route 10.0.0.%d/32 next-hop 192.0.2.1\n"


class Stage:
    """Commands with a link to a ribd that answers when the test says."""

    def __init__(self, acknowledge: bool = True) -> None:
        self.requests: list[Apply] = []
        self.said = b""
        self.asked: list[str] = []
        self.link = RibLink("helper-p", "epoch", self._send)
        targets = Targets()
        targets.configure([BINDING, OTHER])
        self.commands = Commands(
            self.link,
            targets,
            self._answer,
            self.asked.append,
            logging.getLogger("bgpbus.test"),
            "version",
            acknowledge,
        )
        self.answered = 0

    def _send(self, message: Message) -> bool:
        assert isinstance(message, Apply)
        self.requests.append(message)
        return True

    def _answer(self, line: bytes, count: int) -> None:
        self.said += line * count

    def feed(self, octets: bytes) -> None:
        self.commands.feed(octets, 0.0)

    def ribd(self, message: Applied | Refused) -> None:
        """Let an answer of ribd arrive."""
        self.link.answered(message)
        self.commands.work(0.0)

    def ribd_answers_all(self) -> None:
        while self.answered < len(self.requests):
            self.answered += 1
            self.ribd(Applied(self.requests[self.answered - 1].sequence))

    def heard(self) -> bytes:
        """Return and forget what the helper was told."""
        said, self.said = self.said, b""
        return said


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_routes_of_one_read_are_one_request_and_answered_when_ribd_has_them(stage: Stage) -> None:
    stage.feed(b"".join(ROUTE % number for number in range(10)))
    [request] = stage.requests
    assert request.targets == [["192.0.2.1", "192.0.2.9"]]
    assert sum(len(change[5]) for change in request.changes) == 10
    assert stage.heard() == b""
    stage.ribd_answers_all()
    assert stage.heard() == b"done\n" * 10
    assert (stage.commands.count, stage.commands.errors) == (10, 0)


def test_a_line_in_pieces_is_one_command(stage: Stage) -> None:
    line = ROUTE % 1
    for place in range(len(line)):
        stage.feed(line[place : place + 1])
    assert len(stage.requests) == 1
    stage.ribd_answers_all()
    assert stage.heard() == b"done\n"


def test_a_bad_line_is_answered_in_its_place_and_changes_nothing(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + b"announce route nonsense\n" + ROUTE % 2 + b"neighbor 192.0.2.7 " + ROUTE % 3)
    [request] = stage.requests
    assert sum(len(change[5]) for change in request.changes) == 2
    assert stage.heard() == b""
    stage.ribd_answers_all()
    assert stage.heard() == b"done\nerror\ndone\nerror\n"
    assert (stage.commands.count, stage.commands.errors) == (4, 2)


def test_only_bad_lines_ask_ribd_for_nothing(stage: Stage) -> None:
    stage.feed(b"nonsense\nannounce\n")
    assert stage.requests == []
    assert stage.heard() == b"error\nerror\n"


def test_a_request_that_ribd_refuses_is_an_error_for_every_line(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + ROUTE % 2)
    stage.ribd(Refused(1, "the journal cannot be written"))
    assert stage.heard() == b"error\nerror\n"
    assert stage.commands.errors == 2


def test_answers_keep_their_order_when_ribd_answers_out_of_order(stage: Stage) -> None:
    stage.feed(ROUTE % 1)
    stage.feed(b"nonsense\n")
    stage.feed(ROUTE % 2)
    assert stage.heard() == b""
    stage.ribd(Refused(2, "no"))
    assert stage.heard() == b""
    stage.ribd(Applied(1))
    assert stage.heard() == b"done\nerror\nerror\n"


def test_the_helper_waits_while_enough_is_on_its_way(stage: Stage) -> None:
    for number in range(WINDOW):
        assert not stage.commands.busy
        stage.feed(ROUTE % number)
    assert stage.commands.busy
    stage.feed(ROUTE % 99)  # what was in the pipe already
    assert len(stage.requests) == WINDOW
    stage.ribd(Applied(1))
    assert len(stage.requests) == WINDOW + 1
    stage.answered = 1
    stage.ribd_answers_all()
    assert not stage.commands.busy
    assert stage.heard() == b"done\n" * (WINDOW + 1)


def test_another_command_waits_until_everything_before_it_is_answered(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + b"show neighbor summary\n" + ROUTE % 2 + b"version\n")
    assert stage.asked == []
    assert len(stage.requests) == 1
    stage.ribd_answers_all()
    assert stage.asked == ["show neighbor summary"]
    assert stage.heard() == b"done\n"
    assert stage.commands.busy
    stage.commands.say("a line of the answer")
    stage.commands.finish("")
    stage.commands.work(0.0)
    assert stage.heard() == b"a line of the answer\ndone\n"
    stage.ribd_answers_all()
    assert stage.heard() == b"done\nversion\ndone\n"


def test_a_command_that_failed_elsewhere_is_an_error(stage: Stage) -> None:
    stage.feed(b"teardown\nneighbor 192.0.2.1 teardown 2\n")
    assert stage.heard() == b"error\n"
    assert stage.asked == ["neighbor 192.0.2.1 teardown 2"]
    stage.commands.finish("no such session")
    assert stage.heard() == b"error\n"


@pytest.mark.parametrize(
    ("line", "said", "after"),
    [
        (b"disable-ack\n", b"done\n", b""),
        (b"silence-ack\n", b"", b""),
        (b"enable-ack\n", b"done\n", b"done\n"),
    ],
)
def test_acknowledgements_can_be_switched(stage: Stage, line: bytes, said: bytes, after: bytes) -> None:
    stage.feed(line)
    assert stage.heard() == said
    stage.feed(ROUTE % 1 + b"nonsense\n")
    stage.ribd_answers_all()
    assert stage.heard() == (after + b"error\n" if after else b"")
    stage.feed(b"enable-ack\n")
    assert stage.heard() == b"done\n"


def test_a_switch_concerns_only_what_follows_it(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + b"silence-ack\n" + ROUTE % 2 + b"enable-ack\n" + ROUTE % 3)
    stage.ribd_answers_all()
    assert stage.heard() == b"done\ndone\ndone\n"  # route 1, enable-ack, route 3
    assert len(stage.requests) == 3


def test_without_acknowledgements_nothing_is_said_but_data() -> None:
    stage = Stage(acknowledge=False)
    stage.feed(ROUTE % 1 + b"nonsense\nversion\n")
    stage.ribd_answers_all()
    assert stage.heard() == b"version\n"


# Helpers that come and go


def test_a_new_helper_does_not_read_the_answers_of_the_one_before(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + ROUTE % 2)
    stage.commands.reset()
    stage.feed(ROUTE % 3)
    stage.ribd_answers_all()
    assert stage.heard() == b"done\n"
    assert len(stage.requests) == 2


def test_commands_of_a_helper_that_is_gone_are_still_carried_out_unheard(stage: Stage) -> None:
    for number in range(WINDOW + 2):
        stage.feed(ROUTE % number + b"nonsense\n")
    stage.feed(b"version\nsilence-ack\nshow neighbor summary\n")
    stage.commands.reset()
    stage.feed(ROUTE % 100 + b"nonsense\n")
    stage.ribd_answers_all()
    assert stage.asked == ["show neighbor summary"]
    stage.commands.say("unheard")
    stage.commands.finish("")
    stage.commands.work(0.0)
    stage.ribd_answers_all()
    routes = sum(len(change[5]) for request in stage.requests for change in request.changes)
    assert routes == WINDOW + 3
    assert stage.heard() == b"done\nerror\n"


def test_routes_of_two_helpers_that_wait_together_are_answered_to_their_own(stage: Stage) -> None:
    for number in range(WINDOW):
        stage.feed(ROUTE % number)
    with_med = [(ROUTE % number).replace(b"\n", b" med %d\n" % number) for number in range(6)]
    stage.feed(b"".join(with_med[:3]))
    stage.commands.reset()
    stage.feed(b"".join(with_med[3:]))
    stage.ribd_answers_all()
    assert [len(request.changes) for request in stage.requests[WINDOW:]] == [3, 3]
    assert stage.heard() == b"done\n" * 3


def test_the_answer_of_control_to_a_helper_that_is_gone_is_not_heard(stage: Stage) -> None:
    stage.feed(b"show neighbor summary\n")
    stage.commands.reset()
    stage.commands.say("unheard")
    stage.commands.finish("")
    stage.commands.work(0.0)
    assert stage.heard() == b""
    stage.feed(b"version\n")
    assert stage.heard() == b"version\ndone\n"


@pytest.mark.parametrize("line", ["version json", "system version"])
def test_the_version_as_json_is_said_by_control_as_to_everybody(stage: Stage, line: str) -> None:
    stage.feed(f"{line}\n".encode())
    assert stage.asked == [line]


def test_half_a_line_of_a_helper_that_is_gone_is_forgotten(stage: Stage) -> None:
    stage.feed(b"announce route 10.0.0.1/32 next-")
    stage.commands.reset()
    stage.feed(b"version\n")
    assert stage.heard() == b"version\ndone\n"


def test_a_restart_brings_acknowledgements_back(stage: Stage) -> None:
    stage.feed(b"silence-ack\n")
    stage.commands.reset()
    stage.feed(b"version\n")
    assert stage.heard() == b"version\ndone\n"
    stage.commands.configure(acknowledge=False)
    stage.commands.reset()
    stage.feed(b"version\n")
    assert stage.heard() == b"version\n"


# Limits


def test_a_line_without_end_is_refused_once_in_its_place(stage: Stage) -> None:
    stage.feed(ROUTE % 1 + b"x" * (LINE_LIMIT + 1))
    stage.ribd_answers_all()
    assert stage.heard() == b"done\nerror\n"
    stage.feed(b"x" * LINE_LIMIT)
    stage.feed(b"x" * LINE_LIMIT)
    assert stage.heard() == b""
    stage.feed(b"the end\nversion\n")
    assert stage.heard() == b"version\ndone\n"
    assert stage.commands._rest == b""


def test_a_large_read_becomes_several_requests(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.commands, "BATCH_OCTETS", 300)
    stage.feed(b"".join(b"announce route 10.%d.0.0/16 next-hop 192.0.2.1 split /20\n" % number for number in range(9)))
    assert len(stage.requests) == WINDOW
    stage.ribd_answers_all()
    assert len(stage.requests) == 5
    assert sum(len(change[5]) for request in stage.requests for change in request.changes) == 9 * 16
    assert stage.heard() == b"done\n" * 9


def test_routes_that_differ_become_several_requests(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.commands, "BATCH_OCTETS", 500)
    stage.feed(b"".join((ROUTE % number).replace(b"\n", b" med %d\n" % number) for number in range(40)))
    stage.ribd_answers_all()
    assert len(stage.requests) > 2
    assert max(len(request.changes) for request in stage.requests) < 20
    assert stage.heard() == b"done\n" * 40


def test_a_command_that_the_bus_cannot_carry_is_an_error(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.bridge.commands, "MOST_OCTETS", 1000)
    stage.feed(b"announce route 10.0.0.0/16 next-hop 192.0.2.1 split /24\n" + ROUTE % 1)
    stage.feed(ROUTE % 2)
    stage.ribd_answers_all()
    assert stage.heard() == b"error\nerror\ndone\n"
    assert len(stage.requests) == 1


def test_refusals_are_logged_a_bounded_number_of_times(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.feed(b"nonsense\n" * 1000)
    assert caplog.text.count("command refused") == 10
    stage.commands.feed(b"nonsense\n", 2.0)
    assert "count=990" in caplog.text


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from((ROUTE % 1, ROUTE % 2, b"nonsense\n", b"version\n", b"# comment\n", b"\n")), max_size=40),
    st.lists(st.integers(1, 200), max_size=40),
    st.data(),
)
def test_every_line_is_answered_once_in_order_however_it_is_cut(
    lines: list[bytes], cuts: list[int], data: st.DataObject
) -> None:
    whole = Stage()
    for line in lines:
        whole.feed(line)
        whole.ribd_answers_all()
    stage = Stage()
    octets, pending = b"".join(lines), []
    while octets:
        count = cuts.pop() if cuts else len(octets)
        stage.feed(octets[:count])
        octets = octets[count:]
        pending = stage.requests[stage.answered :]
        if pending and data.draw(st.booleans()):
            stage.answered += 1
            stage.ribd(Applied(pending[0].sequence))
    stage.ribd_answers_all()
    assert stage.heard() == whole.heard()
    assert stage.commands.count == whole.commands.count


# The link


def test_the_link_repeats_what_was_not_answered_and_ignores_a_second_answer() -> None:
    sent: list[Message] = []
    answers: list[str] = []
    link = RibLink("c", "e", lambda message: sent.append(message) or True)
    link.enrol(["a"], {}, [], answers.append)
    link.clear(["a"], answers.append)
    link.apply([["a"]], [[0, 1, 1, 1, b"", [b"item "]]], answers.append)
    assert [message.sequence for message in sent] == [1, 2, 3]  # type: ignore[attr-defined]
    link.answered(Applied(1, "a former life"))
    assert not answers
    link.answered(Applied(1, "e"))
    sent.clear()
    link.connected()
    assert [message.sequence for message in sent] == [2, 3]  # type: ignore[attr-defined]
    link.answered(Refused(2, "why"))
    link.answered(Applied(2))
    link.answered(Applied(3))
    link.answered(Applied(99))
    assert answers == ["", "why", ""]
    assert link.idle


@pytest.mark.parametrize("connected", [True, False])
def test_a_request_that_no_message_holds_is_refused_and_does_not_hold_up_the_others(connected: bool) -> None:
    there = connected
    turns, sent = Turns(), []
    answers: list[str] = []

    def send(message: Any) -> bool:
        """Send as `Client` does, to a ribd that wants numbers without a gap."""
        if there and len(pack(message)) > MESSAGE_LIMIT:
            raise UnfitMessage("too large")
        if there:
            assert not turns.fault(message)
            sent.append(message)
        return there

    link = RibLink("c", "e", send)
    large = [[0, 1, 1, 1, b"", [bytes(MESSAGE_LIMIT)]]]
    for changes in ([[0, 1, 1, 1, b"", [b"item "]]], large, large, [[0, 1, 1, 1, b"", [b"item "]]]):
        link.apply([["a"]], changes, answers.append)
    there = True
    for _ in range(2):
        link.connected()
    assert answers == ["too large", "too large"]
    for sequence in range(1, 5):
        link.answered(Applied(sequence, "e"))
    assert answers == ["too large", "too large", "", ""]
    assert link.idle
    assert {type(message) for message in sent if message.sequence in (2, 3)} == {Sync}


def test_the_link_sends_no_more_than_the_socket_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apid.riblink, "IN_FLIGHT", 10)
    sent: list[int] = []
    answers: list[str] = []
    link = RibLink("c", "e", lambda message: sent.append(message.sequence) or True)  # type: ignore[attr-defined]
    for _ in range(35):
        link.clear(["a"], answers.append)
    assert sent == list(range(1, 11))
    link.connected()
    assert sent == list(range(1, 11)) * 2
    sent.clear()
    for sequence in range(1, 36):
        link.answered(Applied(sequence))
        assert len(sent) <= sequence
    assert sent == list(range(11, 36))
    assert len(answers) == 35
    assert link.idle

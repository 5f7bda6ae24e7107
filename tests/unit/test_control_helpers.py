"""The bridges that control knows."""

from __future__ import annotations

from typing import Any

from apid.control.helpers import SECONDS, Helpers
from bus.schema import Message, Present, Reconfigure
from tests.unit.control_stage import StillLoop


def make() -> tuple[StillLoop, list[tuple[bytes, Message]], Helpers]:
    loop, sent = StillLoop(), []  # type: ignore[var-annotated]
    return loop, sent, Helpers(loop, lambda identity, message: sent.append((identity, message)) or True)  # type: ignore


def test_a_bridge_that_is_new_reads_its_settings_again() -> None:
    _, sent, helpers = make()
    helpers.present(b"1", Present("p", "e", {"pid": 1}))
    helpers.present(b"1", Present("p", "e", {"pid": 2}))
    assert sent == [(b"1", Reconfigure("connected"))]
    assert helpers.states == {"p": {"pid": 2}}
    helpers.present(b"2", Present("p", "f", {}))
    assert sent[-1] == (b"2", Reconfigure("connected"))


def test_every_bridge_is_told_and_one_that_is_gone_is_forgotten() -> None:
    loop = StillLoop()
    gone: set[bytes] = set()
    helpers = Helpers(loop, lambda identity, _: identity not in gone)  # type: ignore[arg-type]
    helpers.present(b"1", Present("p", "e", {}))
    helpers.present(b"2", Present("q", "e", {}))
    gone.add(b"1")
    helpers.tell("changed")
    assert list(helpers.states) == ["q"]


def test_states_are_refreshed_when_every_bridge_has_answered() -> None:
    loop, sent, helpers = make()
    helpers.present(b"1", Present("p", "e", {"pid": 1}))
    got: list[Any] = []
    helpers.refreshed()(got.append)
    assert sent[-1] == (b"1", Present("p", "", {}))
    assert not got
    helpers.present(b"1", Present("p", "e", {"pid": 2}))
    assert got == [{"p": {"pid": 2}}]
    loop.run()
    assert len(got) == 1


def test_a_bridge_that_does_not_answer_is_not_waited_for() -> None:
    loop, _, helpers = make()
    helpers.present(b"1", Present("p", "e", {"pid": 1}))
    got: list[Any] = []
    helpers.refreshed()(got.append)
    loop.run()
    assert got == [{"p": {"pid": 1}}]
    assert loop.now() == SECONDS


def test_without_bridges_there_is_an_answer_at_once() -> None:
    _, _, helpers = make()
    got: list[Any] = []
    helpers.refreshed()(got.append)
    assert got[0] == {}


def test_questions_that_a_bridge_has_not_answered_leave_nothing_behind() -> None:
    loop, _, helpers = make()
    helpers.present(b"1", Present("p", "e", {}))
    got: list[Any] = []
    for _ in range(3):
        helpers.refreshed()(got.append)
        loop.run()
    assert len(got) == 3
    assert helpers._waiting == []

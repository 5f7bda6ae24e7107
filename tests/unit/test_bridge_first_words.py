"""What a helper says in its first moment is among the first routes; what it says later waits until these are sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from apid.bridge.bridge import ATTEMPTS_SECONDS, CONFIGURED_SECONDS, FIRST_WORDS, SILENCE, TAKEN
from bus.schema import Applied, Apply, HelperSettings, Reconfigure
from bus.settings import write_settings
from tests.unit.bridge_stage import Stage

SHELL, PYTHON = (f"announce route 10.0.{number}.0/24 next-hop 192.0.2.1\n".encode() for number in (1, 2))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(tmp_path, monkeypatch)
    stage.loop.on_signal = stage.loop.stop = lambda *_: None
    stage.bridge.start()
    return stage


@pytest.fixture
def begun(stage: Stage) -> Stage:
    """A bridge whose helper has just started."""
    taken(stage, 1)
    stage.ribd.sent = []
    return stage


def announced(stage: Stage) -> list[int]:
    """Return the third octet of each route that ribd was sent, and forget them."""
    sent, stage.ribd.sent = stage.ribd.sent, []
    assert all(isinstance(each, Apply) and each.after_configuration for each in sent)
    return [change[5][0][7] for apply in sent for change in apply.changes]


def wait(stage: Stage, seconds: float) -> None:
    """Let time pass, and no more."""
    until = stage.loop.now() + seconds
    stage.loop.call_later(seconds, lambda: None)
    stage.loop.run(until + 1e-9)


def taken(stage: Stage, sequence: int) -> None:
    """Have ribd take a batch."""
    stage.ribd.receive(Applied(sequence, "life"))


def test_a_helper_starts_once_ribd_has_the_configuration(stage: Stage) -> None:
    (question,) = stage.ribd.sent
    assert question == Apply("helper-p", "life", 1, [], [], after_configuration=True)
    wait(stage, CONFIGURED_SECONDS / 2)
    assert stage.process.begun == 0
    taken(stage, 1)
    assert stage.process.begun == 1
    wait(stage, CONFIGURED_SECONDS)
    assert stage.process.begun == 1


def test_a_helper_starts_after_a_while_though_there_is_no_configuration(stage: Stage) -> None:
    wait(stage, CONFIGURED_SECONDS)
    assert stage.process.begun == 1
    wait(stage, FIRST_WORDS + TAKEN + 0.01)
    assert stage.feeds.may_send


def test_a_helper_does_not_start_in_a_daemon_that_ends(stage: Stage) -> None:
    stage.process.pid = 0
    stage.bridge.stop()
    taken(stage, 1)
    assert stage.process.begun == 0


def test_a_helper_that_a_reload_starts_has_its_moment_too(stage: Stage) -> None:
    helper, path = stage.bridge._helper, stage.run.settings / "helper-p"
    write_settings(path, HelperSettings(replace(helper, run=["/bin/true"]).to_wire()))
    stage.control.receive(Reconfigure(""))
    wait(stage, FIRST_WORDS)
    assert not stage.feeds.may_send  # ribd was asked and has not answered
    wait(stage, TAKEN + 0.01)
    assert stage.feeds.may_send
    taken(stage, 1)
    assert stage.process.begun == 1


def test_sessions_have_routes_a_moment_after_a_helper_that_says_nothing(begun: Stage) -> None:
    assert not begun.feeds.may_send
    wait(begun, FIRST_WORDS)
    assert begun.feeds.may_send


def test_sessions_have_routes_once_ribd_has_what_a_helper_said_at_once(begun: Stage) -> None:
    begun.say(SHELL)
    assert announced(begun) == [1]
    wait(begun, FIRST_WORDS + TAKEN / 2)
    assert not begun.feeds.may_send
    taken(begun, 2)
    wait(begun, TAKEN / 10)
    assert begun.feeds.may_send


def test_sessions_have_routes_though_ribd_takes_nothing(begun: Stage) -> None:
    begun.say(SHELL)
    wait(begun, FIRST_WORDS + TAKEN + 0.01)
    assert begun.feeds.may_send


def test_what_a_helper_says_later_waits_until_every_session_was_tried(begun: Stage) -> None:
    begun.say(SHELL)
    taken(begun, 2)
    wait(begun, FIRST_WORDS)
    assert begun.process.paused
    announced(begun)
    begun.say(PYTHON)  # the last words of a helper that ends are read though its pipe is not
    wait(begun, ATTEMPTS_SECONDS / 2)
    assert announced(begun) == []
    begun.feeds.tried()
    assert announced(begun) == [2]
    taken(begun, 3)
    assert not begun.process.paused
    begun.feeds.tried()
    wait(begun, ATTEMPTS_SECONDS)
    assert announced(begun) == []


def test_a_session_of_which_nothing_is_heard_holds_a_helper_for_a_bounded_time(begun: Stage) -> None:
    wait(begun, FIRST_WORDS)
    begun.say(PYTHON)
    wait(begun, ATTEMPTS_SECONDS - 0.1)
    assert announced(begun) == []
    wait(begun, 0.1)
    assert announced(begun) == [2]
    taken(begun, 2)
    assert not begun.process.paused


def test_a_helper_that_is_not_listened_to_has_not_said_all_that_it_has_to(begun: Stage) -> None:
    begun.say(SHELL)
    taken(begun, 2)
    wait(begun, FIRST_WORDS + 3 * SILENCE)
    assert not begun.feeds.is_settled
    begun.feeds.tried()
    wait(begun, SILENCE / 2)
    assert not begun.feeds.is_settled
    wait(begun, SILENCE / 2)
    assert begun.feeds.is_settled

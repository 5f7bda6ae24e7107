"""When everything ends because no session is left that would try again."""

from __future__ import annotations

from apid.control.attempts import Attempts
from bus.schema import Spent


class Stage:
    """Neighbors, and how often the end has come."""

    def __init__(self, *neighbors: str) -> None:
        self.neighbors = neighbors
        self.ends = 0
        self.attempts = Attempts(lambda: self.neighbors, self.end)

    def end(self) -> None:
        self.ends += 1

    def say(self, program: str, *names: str) -> int:
        self.attempts.heard(program, Spent([*names]))
        return self.ends


def test_the_end_comes_with_the_last_session_whatever_process_has_it() -> None:
    stage = Stage("a", "b", "c")
    assert stage.say("shard-1", "a") == stage.say("shard-1", "a", "b") == 0
    assert stage.say("shard-2", "c") == 1


def test_a_session_that_has_a_connection_again_is_waited_for() -> None:
    stage = Stage("a", "b")
    assert stage.say("peerd-a", "a") == stage.say("peerd-a") == stage.say("peerd-b", "b") == 0
    assert stage.say("peerd-a", "a") == 1


def test_what_a_process_said_in_a_former_life_does_not_count() -> None:
    stage = Stage("a", "b")
    stage.say("peerd-a", "a")
    stage.attempts.forget("peerd-a")
    stage.attempts.forget("peerd-b")
    assert stage.say("peerd-b", "b") == 0


def test_neighbors_that_are_gone_are_not_waited_for_and_without_any_nothing_ends() -> None:
    stage = Stage("a", "b")
    stage.say("peerd-a", "a")
    stage.neighbors = ("a",)
    stage.attempts.look()
    assert stage.ends == 1
    stage.neighbors = ()
    stage.attempts.look()
    assert stage.ends == 1

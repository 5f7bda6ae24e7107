"""Reloads: one at a time, and a bad one changes nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from apid import programs
from apid.amend import create, delete, shut
from apid.control import in_force as module
from apid.control.enforce import read_wanted
from apid.control.in_force import RETRY, Change, Changed, InForce
from apid.control.leaving import leave
from apid.live import Live, Shut, Wanted
from apid.load import LoadError
from bus.daemon import RunDirectory
from bus.schema import Applied, Apply, Enrol, Lineage, Message, Refused
from tests.unit.control_stage import CONFIGURATION, StillLoop, compiled


class FakeRibd:
    """ribd, answering each request at once, later, or not at all."""

    def __init__(self, loop: Any, _path: Any, on_message: Any, on_connect: Any, _on_bad: Any) -> None:
        self._loop, self._answer, self.connect = loop, on_message, on_connect
        self.sent: list[Any] = []
        self.refusing = False
        self.patience = 0  # so many requests are carried out before it refuses
        self.lineage = "first"
        self.routes: dict[tuple[str, bytes], bytes] = {}
        loop.call_soon(on_connect)

    def send(self, message: Message) -> bool:
        if isinstance(message, Lineage):
            self._loop.call_soon(lambda: self._answer(Lineage(self.lineage)))
            return True
        self.sent.append(message)
        self.patience -= 1
        refused = self.refusing and self.patience < 0
        if isinstance(message, Apply) and not refused:
            self._carry_out(message)
        number = message.sequence  # type: ignore[attr-defined]
        epoch = message.epoch  # type: ignore[attr-defined]
        verdict = Refused(number, "disk full", epoch) if refused else Applied(number, epoch)
        self._loop.call_soon(lambda: self._answer(verdict))
        return True

    def _carry_out(self, message: Apply) -> None:
        for target, announce, _, _, attributes, items in message.changes:
            for place in ((name, item) for name in message.targets[target] for item in items):
                if announce:
                    self.routes[place] = attributes
                else:
                    self.routes.pop(place, None)


class AtOnce:
    """A background that does its work in the loop."""

    def __init__(self, loop: StillLoop) -> None:
        self._loop = loop

    def do(self, function: Any, done: Any, expected: tuple[type[Exception], ...] = ()) -> None:
        def perform() -> None:
            try:
                result, error = function(), None
            except expected as problem:
                result, error = None, problem
            done(result, error)

        self._loop.call_soon(perform)


class Scene:
    """InForce with a source text that the test changes."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop = StillLoop()
        self.run = RunDirectory(path)
        self.run.create()
        self.text = CONFIGURATION
        self.broken = ""
        self.reads = 0
        self.whole = True
        self.adapted = 0
        self.events: list[dict[str, Any]] = []
        self.verdicts: list[str] = []
        monkeypatch.setattr(module, "Client", FakeRibd)
        monkeypatch.setattr(module, "read_again", self._read)
        monkeypatch.setattr(module, "adapt", self._adapt)
        publisher: Any = type("P", (), {"publish": lambda _self, _topic, data: self.events.append(data)})()
        self.left: list[tuple[Any, int]] = []
        changed = Changed(lambda applied: None, lambda removed: None, self._leave)
        log = logging.getLogger("test")
        background: Any = AtOnce(self.loop)
        self.in_force = InForce(self.loop, self.run, ["f"], background, publisher, log, changed, lambda _: None)  # type: ignore
        self.ribd: Any = self.in_force._ribd

    def _read(self, _sources: list[str], former: Any, whole: bool) -> Any:
        self.reads += 1
        self.whole = whole
        if self.broken:
            raise LoadError(self.broken)
        return type("L", (), {"compiled": compiled(self.text, former), "warnings": []})()

    def _leave(self, sessions: Any, done: Any) -> None:
        self.left += [(session, len(self.ribd.sent)) for session in sessions]
        self.loop.call_soon(done)

    def _adapt(self, _run: Any, _listener: bool) -> tuple[list[str], list[str]]:
        self.adapted += 1
        return [], []

    def reload(self) -> None:
        self.in_force.reload(self.verdicts.append)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene(tmp_path, monkeypatch)
    made.in_force.start()
    made.loop.run()
    return made


def test_a_first_start_compiles_and_puts_in_force(scene: Scene) -> None:
    assert scene.in_force.generation == compiled().applied.generation
    assert scene.run.applied.exists()
    assert not scene.run.pending.exists()
    assert scene.adapted == 1


def test_a_file_that_may_have_been_cut_off_is_for_a_start_and_not_for_a_reload(scene: Scene) -> None:
    assert not scene.whole
    scene.reload()
    scene.loop.run()
    assert scene.whole


def test_a_later_start_does_not_read_the_sources(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = Scene(tmp_path, monkeypatch)
    again.in_force.start()
    again.loop.run()
    assert again.reads == 0
    assert again.in_force.generation == scene.in_force.generation


def test_a_first_start_with_a_wrong_configuration_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Scene(tmp_path, monkeypatch)
    made.broken = "wrong"
    with pytest.raises(LoadError):
        made.in_force.start()


def test_a_reload_that_is_wrong_changes_nothing(scene: Scene) -> None:
    before, sent = scene.in_force.generation, len(scene.ribd.sent)
    scene.broken = "f:1:1: wrong"
    scene.reload()
    scene.loop.run()
    assert scene.verdicts == ["f:1:1: wrong"]
    assert scene.in_force.problem == "f:1:1: wrong"
    assert (scene.in_force.generation, len(scene.ribd.sent)) == (before, sent)
    scene.broken = ""
    scene.reload()
    scene.loop.run()
    assert scene.in_force.problem == ""


def test_reloads_that_come_while_one_is_on_its_way_are_one_reload(scene: Scene) -> None:
    reads = scene.reads
    for _ in range(5):
        scene.reload()
    scene.text = CONFIGURATION.replace("10.2.1.0", "10.7.1.0")
    scene.loop.run()
    assert scene.verdicts == [""] * 5
    assert scene.reads - reads == 2
    assert scene.in_force.generation == compiled(scene.text).applied.generation


def test_a_refusal_of_ribd_is_reported_and_tried_again(scene: Scene) -> None:
    scene.text = CONFIGURATION.replace("10.2.1.0", "10.7.1.0")
    scene.ribd.refusing = True
    scene.reload()
    scene.loop.run(until=RETRY / 2)
    assert scene.verdicts == ["disk full"]
    assert scene.run.pending.exists()
    scene.ribd.refusing = False
    scene.loop.run()
    assert scene.in_force.generation == compiled(scene.text).applied.generation
    assert scene.verdicts == ["disk full"]


def test_supervisord_that_is_away_does_not_keep_a_configuration_from_being_in_force(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_run: Any, _listener: bool) -> Any:
        raise ConnectionRefusedError("away")

    monkeypatch.setattr(module, "adapt", away)
    scene.text = MANY
    scene.reload()
    scene.loop.run(until=RETRY / 2)
    assert scene.verdicts == [""]
    assert scene.in_force.generation == compiled(MANY).applied.generation
    assert "programs are out of step" in scene.in_force.problem


def test_supervisord_is_told_of_the_programs_once_it_answers_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = [ConnectionRefusedError("away"), TimeoutError("slow"), ([], [])]

    def adapt(_run: Any, _listener: bool) -> Any:
        if isinstance(answer := answers.pop(0), OSError):
            raise answer
        return answer

    monkeypatch.setattr(module, "adapt", adapt)
    scene.reload()
    scene.loop.run()
    assert answers == []
    assert scene.verdicts == [""]
    assert scene.in_force.problem == ""


MANY = CONFIGURATION.replace(
    "route 10.3.0.0/24", "route 10.8.0.0/24 next-hop 192.0.2.9; route 10.9.0.0/24 next-hop 192.0.2.8; route 10.3.0.0/24"
).replace("10.2.1.0/24 next-hop 192.0.2.9 med 50", "10.7.1.0/24 next-hop 192.0.2.9 med 50")


@pytest.mark.parametrize("patience", range(8))
def test_a_configuration_that_comes_back_before_another_was_wholly_in_force_is_in_force_exactly(
    scene: Scene, patience: int
) -> None:
    before = dict(scene.ribd.routes)
    scene.text, scene.ribd.refusing, scene.ribd.patience = MANY, True, patience
    scene.reload()
    scene.loop.run(until=scene.loop.now() + RETRY / 2)
    scene.text, scene.ribd.refusing = CONFIGURATION, False
    scene.reload()
    scene.loop.run()
    assert scene.verdicts[-1] == ""
    assert scene.ribd.routes == before
    assert scene.in_force.generation == compiled().applied.generation
    scene.text = MANY
    scene.reload()
    scene.loop.run()
    assert scene.ribd.routes != before
    scene.text = CONFIGURATION
    scene.reload()
    scene.loop.run()
    assert scene.ribd.routes == before


def test_a_new_start_undoes_what_was_half_in_force(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(scene.ribd.routes)
    scene.text, scene.ribd.refusing, scene.ribd.patience = MANY, True, 2
    scene.reload()
    scene.loop.run(until=scene.loop.now() + RETRY / 2)
    assert scene.ribd.routes != before
    leave(scene.run, Wanted(compiled(), Live()))
    again = Scene(tmp_path, monkeypatch)
    again.ribd.routes = scene.ribd.routes
    again.in_force.start()
    again.loop.run()
    assert again.ribd.routes == before


def test_no_two_enforcements_have_the_same_epoch(scene: Scene) -> None:
    for text in (MANY, CONFIGURATION, MANY, CONFIGURATION):
        scene.text = text
        scene.reload()
        scene.loop.run()
    epochs = [message.epoch for message in scene.ribd.sent]
    assert len(set(epochs)) == 5
    assert epochs == sorted(epochs, key=epochs.index)


def test_a_journal_that_is_lost_is_given_the_configured_routes_again(scene: Scene) -> None:
    before, adapted = dict(scene.ribd.routes), scene.adapted
    scene.ribd.connect()
    scene.loop.run()
    assert scene.adapted == adapted
    scene.ribd.lineage, scene.ribd.routes = "second", {}
    scene.ribd.connect()
    scene.loop.run()
    assert scene.ribd.routes == before
    scene.ribd.connect()
    scene.loop.run()
    assert scene.adapted == adapted + 1


@pytest.mark.parametrize("on_its_way", [False, True])
def test_a_journal_that_is_lost_is_given_them_before_commands_are_carried_out(scene: Scene, on_its_way: bool) -> None:
    with scene.in_force.reading():
        if on_its_way:
            scene.text = MANY
            scene.reload()
            scene.loop.run()
        scene.ribd.lineage, scene.ribd.routes = "second", {}
        scene.ribd.connect()
        scene.loop.run()
        assert scene.ribd.routes
        assert not scene.in_force.moving
    assert scene.verdicts == [""] * on_its_way


def test_a_journal_that_was_lost_while_control_was_away_is_given_them_too(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = Scene(tmp_path, monkeypatch)
    again.ribd.lineage = "second"
    again.in_force.start()
    again.loop.run()
    assert again.ribd.routes == scene.ribd.routes
    unchanged = Scene(tmp_path, monkeypatch)
    unchanged.ribd.lineage = "second"
    unchanged.in_force.start()
    unchanged.loop.run()
    assert unchanged.ribd.routes == {}


def test_a_journal_that_is_lost_on_the_way_makes_the_way_begin_anew(scene: Scene) -> None:
    scene.text = MANY
    scene.reload()
    while len(scene.ribd.sent) < 5:
        scene.loop.step()
    scene.ribd.lineage, scene.ribd.routes = "second", {}
    scene.ribd.connect()
    scene.loop.run()
    fresh = dict(scene.ribd.routes)
    scene.text = CONFIGURATION
    scene.reload()
    scene.loop.run()
    scene.text = MANY
    scene.reload()
    scene.loop.run()
    assert scene.ribd.routes == fresh


def test_a_session_that_changes_leaves_before_ribd_hears_of_its_new_routes(scene: Scene) -> None:
    sent = len(scene.ribd.sent)
    scene.text = MANY.replace("hold-time 30", "hold-time 60")
    scene.reload()
    scene.loop.run()
    assert scene.left == [(("peerd-127.0.0.12", "127.0.0.12"), sent)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("processes [ p ];", "processes [ p q ];"),
        ("hold-time 30;", "hold-time 30; end-of-rib-wait 7;"),
    ],
)
def test_a_session_goes_on_when_others_announce_to_it(scene: Scene, before: str, after: str) -> None:
    scene.text = "process q { run /bin/cat; encoder json; }\n" + CONFIGURATION.replace(before, after)
    scene.reload()
    scene.loop.run()
    assert scene.verdicts == [""]
    assert scene.left == []


def test_a_configuration_and_commands_that_go_by_what_is_in_force_wait_for_each_other(scene: Scene) -> None:
    told: list[str] = []
    before = len(scene.ribd.sent)
    scene.text = MANY
    with scene.in_force.reading(), scene.in_force.reading():
        scene.reload()
        scene.loop.run()
        assert scene.in_force.moving
        assert len(scene.ribd.sent) == before
        scene.in_force.settled(told.append)
    assert told == [""]  # to look again
    assert scene.in_force.moving
    scene.in_force.settled(told.append)
    assert len(told) == 1
    scene.loop.run()
    assert len(scene.ribd.sent) > before
    assert told == ["", ""]
    assert scene.verdicts == [""]
    assert not scene.in_force.moving


def test_changes_go_the_way_of_a_reload_in_their_order_and_without_it(scene: Scene) -> None:
    reads = scene.reads
    scene.in_force.amend(lambda wanted: shut(wanted, ["127.0.0.12"], Shut("", False)), scene.verdicts.append)
    scene.in_force.amend(lambda wanted: delete(wanted, ["192.0.2.99"]), scene.verdicts.append)
    scene.in_force.amend(lambda wanted: delete(wanted, ["127.0.0.13"]), scene.verdicts.append)
    scene.loop.run()
    assert scene.reads == reads
    assert sorted(scene.verdicts) == ["", "", "there is no such neighbor any more"]
    assert scene.in_force.applied is not None
    assert scene.in_force.applied.neighbors == ["127.0.0.12"]
    scene.reload()
    scene.in_force.amend(lambda wanted: delete(wanted, ["127.0.0.12"]), scene.verdicts.append)
    scene.loop.run()
    assert scene.in_force.applied.neighbors == ["127.0.0.13"]
    scene.reload()
    scene.loop.run()
    assert scene.in_force.generation == compiled().applied.generation


def test_a_neighbor_that_is_deleted_and_created_at_once_is_gone_in_between(scene: Scene) -> None:
    scene.reload()  # what follows waits for it, and then comes together
    first = len(scene.ribd.sent)
    section = NEW.replace("127.0.0.19", "127.0.0.13")
    scene.in_force.amend(lambda wanted: delete(wanted, ["127.0.0.13"]), scene.verdicts.append)
    scene.in_force.amend(lambda wanted: create(wanted, section, False), scene.verdicts.append)
    scene.in_force.amend(lambda wanted: shut(wanted, ["127.0.0.12"], Shut("", False)), scene.verdicts.append)
    scene.loop.run()
    assert scene.verdicts == ["", "", "", ""]
    enrolled = [message.neighbors for message in scene.ribd.sent[first:] if isinstance(message, Enrol)]
    both = ["127.0.0.12", "127.0.0.13"]
    assert enrolled == [both, ["127.0.0.12"], both]


def test_a_late_answer_to_one_plan_does_not_acknowledge_the_next(scene: Scene) -> None:
    late = [Applied(message.sequence, message.epoch) for message in scene.ribd.sent]
    scene.text, scene.ribd.refusing = MANY, True
    scene.reload()
    for _ in range(20):
        for answer in late:
            scene.ribd._answer(answer)
        scene.loop.step()
    assert scene.verdicts == ["disk full"]
    assert scene.run.pending.exists()


def test_a_disk_that_is_full_at_the_end_is_a_refusal_that_is_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.put_in_place

    def full(*_arguments: Any) -> None:
        monkeypatch.setattr(module, "put_in_place", real)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "put_in_place", full)
    scene.text = MANY
    scene.reload()
    scene.loop.run(until=scene.loop.now() + RETRY / 2)
    assert "No space left" in scene.verdicts[0]
    assert scene.run.pending.exists()
    scene.loop.run()
    assert scene.in_force.generation == compiled(MANY).applied.generation


NEW = "neighbor 127.0.0.19 { router-id 10.0.0.1; local-as 65001; peer-as 65009; family { ipv4 unicast; } }"


@pytest.mark.parametrize("died", [False, True])
def test_a_change_that_is_repeated_after_a_death_is_made_once(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, died: bool
) -> None:
    def change(scene: Scene, wanted: Change, origin: str) -> str:
        scene.in_force.amend(wanted, scene.verdicts.append, origin)
        scene.loop.run()
        return scene.verdicts.pop()

    def add(wanted: Wanted) -> Wanted:
        return create(wanted, NEW, True)

    assert change(scene, add, "p/life/1") == ""
    if died:
        scene = Scene(tmp_path, monkeypatch)
        scene.in_force.start()
    assert change(scene, add, "p/life/1") == ""
    assert change(scene, add, "p/life/2") == "the neighbor 127.0.0.19 exists already"
    scene.reload()
    scene.loop.run()
    assert scene.verdicts.pop() == ""
    assert change(scene, lambda wanted: delete(wanted, ["127.0.0.19"]), "p/life/3") == ""
    assert change(scene, add, "p/life/1") == ""  # even now: it was done
    assert scene.in_force.applied is not None
    assert "127.0.0.19" not in scene.in_force.applied.neighbors


def test_a_name_that_ribd_may_still_have_routes_of_goes_to_no_other_neighbor(scene: Scene) -> None:
    def wanted(*bodies: str) -> list[str]:
        scene.text = CONFIGURATION[: CONFIGURATION.rindex("neighbor")] + "".join(bodies)
        scene.reload()
        scene.loop.run(until=scene.loop.now() + RETRY / 2)
        left = read_wanted(scene.run)
        assert left is not None
        return left.compiled.applied.neighbors[1:]

    first, second, third = (NEW.replace("peer-as 65009", f"peer-as {number}") for number in (1, 2, 3))
    assert wanted(first) == ["127.0.0.19"]
    both = wanted(first, second)
    assert both[0] == "127.0.0.19"
    scene.ribd.refusing = True
    assert wanted() == []
    assert scene.verdicts[-1] == "disk full"
    (name,) = wanted(third)
    assert name not in both
    assert wanted(first, second) == both
    scene.ribd.refusing = False
    scene.loop.run()
    assert scene.in_force.applied is not None
    assert scene.in_force.applied.neighbors[1:] == both
    assert wanted() == []
    assert wanted(third) == ["127.0.0.19"]


def test_a_neighbor_whose_sockets_would_have_too_long_names_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program could start then, and control would end over it again and again."""
    octets = len(str(scene.run.path)) + len("/peerd-127.0.0.13.accept")
    monkeypatch.setattr(programs, "SOCKET_PATH_LIMIT", octets)
    long = "127.100.100.100"
    scene.in_force.amend(lambda wanted: create(wanted, NEW.replace("127.0.0.19", long), True), scene.verdicts.append)
    scene.in_force.amend(lambda wanted: create(wanted, NEW, True), scene.verdicts.append)
    scene.loop.run()
    former = scene.in_force.generation
    scene.text = CONFIGURATION.replace("127.0.0.13", long)
    scene.reload()
    scene.loop.run()
    assert ["too long for socket names" in verdict for verdict in scene.verdicts] == [True, False, True]
    assert scene.verdicts[1] == ""
    assert scene.in_force.generation == former

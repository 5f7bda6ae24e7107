"""Reloads: one at a time, and a bad one changes nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from apid.control import in_force as module
from apid.control.in_force import RETRY, Changed, InForce
from apid.load import LoadError
from bus.daemon import RunDirectory
from bus.schema import Applied, Message, Refused
from tests.unit.control_stage import CONFIGURATION, StillLoop, compiled


class FakeRibd:
    """ribd, answering each request at once, later, or not at all."""

    def __init__(self, loop: Any, _path: Any, on_message: Any, _on_connect: Any, _on_bad: Any) -> None:
        self._loop, self._answer = loop, on_message
        self.sent: list[Any] = []
        self.refusing = False

    def send(self, message: Message) -> bool:
        self.sent.append(message)
        number = message.sequence  # type: ignore[attr-defined]
        verdict = Refused(number, "disk full") if self.refusing else Applied(number)
        self._loop.call_soon(lambda: self._answer(verdict))
        return True


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
        self.adapted = 0
        self.events: list[dict[str, Any]] = []
        self.verdicts: list[str] = []
        monkeypatch.setattr(module, "Client", FakeRibd)
        monkeypatch.setattr(module, "read_configuration", self._read)
        monkeypatch.setattr(module, "adapt", self._adapt)
        publisher: Any = type("P", (), {"publish": lambda _self, _topic, data: self.events.append(data)})()
        changed = Changed(lambda applied: None, lambda removed: None)
        log = logging.getLogger("test")
        background: Any = AtOnce(self.loop)
        self.in_force = InForce(self.loop, self.run, ["f"], background, publisher, log, changed, lambda _: None)  # type: ignore
        self.ribd: Any = self.in_force._ribd

    def _read(self, _sources: list[str], placed: Any) -> Any:
        self.reads += 1
        if self.broken:
            raise LoadError(self.broken)
        return type("L", (), {"compiled": compiled(self.text)})()

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
    scene.reload()
    scene.loop.run()
    assert scene.verdicts == [""]

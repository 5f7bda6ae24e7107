"""What control has supervisord do: nothing stays stopped because something else was slow, or failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

import pytest

from apid.control import supervise
from apid.control.supervise import ALREADY_STARTED, END_SECONDS, WATCH, adapt, restart
from bus.daemon import RunDirectory

SPAWN_ERROR = 50


class FakeSupervisor:
    """supervisord with programs that take their time to end; its clock is the time that callers sleep."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **seconds: float) -> None:
        self._seconds = {name.replace("_", "-"): float(each) for name, each in seconds.items()}
        self._ends: dict[str, float] = {}
        self.now = 0.0
        self.config: tuple[list[str], list[str], list[str]] = ([], [], [])
        self.faults: dict[str, int] = {}
        self.calls: list[tuple[str, str, float]] = []
        self.rpc = self
        monkeypatch.setattr(supervise, "Supervisor", lambda _run: self)
        monkeypatch.setattr(supervise.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(supervise.time, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def processes(self) -> list[dict[str, Any]]:
        return [{"name": name, "statename": self._state(name)} for name in self._seconds]

    def _state(self, name: str) -> str:
        end = self._ends.get(name)
        if end is None:
            return "RUNNING"
        return "STOPPED" if self.now >= end else "STOPPING"

    def reloadConfig(self) -> list[Any]:
        return [self.config]

    def stopProcessGroup(self, name: str, _wait: bool) -> None:
        self.calls.append(("stop", name, self.now))
        self._ends[name] = self.now + self._seconds[name]

    def startProcess(self, name: str, _wait: bool) -> None:
        self.calls.append(("start", name, self.now))
        if name in self.faults:
            raise Fault(self.faults[name], f"{name} cannot be started")
        del self._ends[name]

    def removeProcessGroup(self, name: str) -> None:
        assert self._state(name) == "STOPPED"
        self.calls.append(("remove", name, self.now))
        del self._seconds[name]

    def addProcessGroup(self, name: str) -> None:
        self.calls.append(("add", name, self.now))
        self._seconds[name] = 0.0

    def did(self, what: str) -> list[str]:
        """Return the programs that something was done to, in order."""
        return [name for call, name, _ in self.calls if call == what]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


def test_programs_are_restarted_at_the_same_time_and_slow_ones_too(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, helper_a=1, helper_b=20, peerd=0)
    restart(run, ["helper-a", "helper-b", "helper-unknown"])
    assert sorted(fake.did("stop")) == ["helper-a", "helper-b"]
    assert {when for what, _, when in fake.calls if what == "stop"} == {0.0}
    assert fake.did("start") == ["helper-a", "helper-b"]
    assert {process["statename"] for process in fake.processes()} == {"RUNNING"}


def test_a_program_that_cannot_be_started_is_reported_and_keeps_no_other_from_starting(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, helper_a=1, helper_b=2, helper_c=3)
    fake.faults = {"helper-a": SPAWN_ERROR, "helper-b": ALREADY_STARTED}
    with pytest.raises(Fault, match="helper-a"):
        restart(run, ["helper-a", "helper-b", "helper-c"])
    assert fake.did("start") == ["helper-a", "helper-b", "helper-c"]


def test_what_is_removed_has_stopped_before_anything_is_added(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, old_a=3, old_b=1)
    fake.config = (["new"], [], ["old-a", "old-b"])
    assert adapt(run, listener=False) == (["new"], ["old-a", "old-b"])
    assert [call[:2] for call in fake.calls[2:]] == [("remove", "old-b"), ("remove", "old-a"), ("add", "new")]


def test_a_program_that_does_not_end_is_an_error_that_names_it(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, old=1000)
    fake.config = ([], [], ["old"])
    with pytest.raises(OSError, match="old did not stop in 35 seconds"):
        adapt(run, listener=False)
    assert fake.now == pytest.approx(END_SECONDS, abs=2 * WATCH)

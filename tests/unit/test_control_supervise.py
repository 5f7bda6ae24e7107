"""What control has supervisord do: nothing stays stopped because something else was slow, or failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apid.control import supervise
from apid.control.supervise import END_SECONDS, WATCH, adapt, restart
from bus.daemon import RunDirectory


class FakeSupervisor:
    """supervisord with programs that take their time to end; its clock is the time that callers sleep."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **seconds: float) -> None:
        self._seconds = {name.replace("_", "-"): float(each) for name, each in seconds.items()}
        self._ends: dict[str, float] = {}
        self._pids = {name: place for place, name in enumerate(self._seconds, 1)}
        self.now = 0.0
        self.config: tuple[list[str], list[str], list[str]] = ([], [], [])
        self._signalled: dict[str, float] = {}
        self.calls: list[tuple[str, str, float]] = []
        self.rpc = self
        monkeypatch.setattr(supervise, "Supervisor", lambda _run: self)
        monkeypatch.setattr(supervise.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(supervise.time, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def processes(self) -> list[dict[str, Any]]:
        self._restart()
        return [{"name": name, "statename": self._state(name), "pid": self._pid(name)} for name in self._seconds]

    def _restart(self) -> None:
        """Start again what has ended on a signal."""
        for name, end in self._signalled.items():
            if self.now >= end:
                self._pids[name] += 100
        self._signalled = {name: end for name, end in self._signalled.items() if self.now < end}

    def _pid(self, name: str) -> int:
        return self._pids[name] if self._state(name) != "STOPPED" else 0

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

    def signalProcess(self, name: str, signal: str) -> None:
        self.calls.append((signal, name, self.now))
        self._signalled[name] = self.now + (self._seconds[name] if signal == "TERM" else 0)

    def startProcess(self, name: str, _wait: bool) -> None:
        self.calls.append(("start", name, self.now))
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
    assert fake.calls == [("TERM", "helper-a", 0.0), ("TERM", "helper-b", 0.0)]
    assert [process["pid"] for process in fake.processes()] == [101, 102, 3]


def test_nothing_stays_stopped_when_supervisord_is_away_during_a_restart(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, helper_a=1)
    monkeypatch.setattr(supervise.time, "sleep", lambda _seconds: (_ for _ in ()).throw(TimeoutError))
    with pytest.raises(TimeoutError):
        restart(run, ["helper-a"])
    fake.now = 2.0
    assert [(process["pid"], process["statename"]) for process in fake.processes()] == [(101, "RUNNING")]


def test_a_restart_starts_what_somebody_has_stopped(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSupervisor(monkeypatch, helper_a=0)
    fake.stopProcessGroup("helper-a", False)
    restart(run, ["helper-a"])
    assert fake.did("start") == ["helper-a"]


def test_a_program_that_does_not_end_for_a_restart_is_killed(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, helper_a=1000, helper_b=1)
    restart(run, ["helper-a", "helper-b"])
    assert fake.did("KILL") == ["helper-a"]
    assert [process["pid"] for process in fake.processes()] == [101, 102]


def test_what_is_removed_has_stopped_before_anything_is_added(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, old_a=3, old_b=1)
    fake.config = (["new"], [], ["old-a", "old-b"])
    assert adapt(run, listener=False) == (["new"], ["old-a", "old-b"])
    assert [call[:2] for call in fake.calls[2:]] == [("remove", "old-b"), ("remove", "old-a"), ("add", "new")]


def test_the_listener_is_told_first(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSupervisor(monkeypatch, listener=0, old=1)
    fake.config = (["new"], [], ["old"])
    adapt(run, listener=True)
    assert [call[:2] for call in fake.calls] == [
        ("HUP", "listener"),
        ("stop", "old"),
        ("remove", "old"),
        ("add", "new"),
    ]
    fake = FakeSupervisor(monkeypatch)
    fake.config = (["listener"], [], [])
    adapt(run, listener=True)
    assert [call[:2] for call in fake.calls] == [("add", "listener")]


def test_a_program_that_does_not_end_is_an_error_that_names_it(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSupervisor(monkeypatch, old=1000)
    fake.config = ([], [], ["old"])
    with pytest.raises(OSError, match="old did not stop in 35 seconds"):
        adapt(run, listener=False)
    assert fake.now == pytest.approx(END_SECONDS, abs=2 * WATCH)

"""What `bgpbus run` works out before it starts anything."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from apid.config.options import LogOptions
from apid.log_destination import LINE_OCTETS, Destination, Log, open_destination
from apid.run import Runner, until_minutes
from bus.daemon import RunDirectory
from bus.schema import Answer, Command, Message, Signalled


class Kept(Destination):
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: list[bytes]) -> None:
        self.lines += lines


@pytest.mark.parametrize(
    ("minutes", "now", "seconds"), [(0, 1000.0, 0), (1, 60.0, 0), (1, 61.0, 59), (5, 723.5, 176.5), (60, 3599.0, 1)]
)
def test_a_delay_lasts_until_the_clock_reaches_a_multiple(minutes: int, now: float, seconds: float) -> None:
    assert until_minutes(minutes, now) == seconds


STAMP = b"2026-11-22 08:00:00,123 "


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (LogOptions(), [0, 1, 2, 3]),
        (LogOptions(network=False), [1, 2, 3]),
        (LogOptions(network=False, reactor=False), [1, 3]),
        (LogOptions(network=False, all=True), [0, 1, 2, 3]),
        (LogOptions(enable=False), []),
    ],
)
def test_a_category_that_is_off_hides_lines_but_what_is_wrong(options: LogOptions, kept: list[int]) -> None:
    said = [b"peerd-x INFO up", b"peerd-x WARNING down", b"control INFO ready", b"no line of ours"]
    lines = [*(STAMP + line for line in said[:3]), said[3]]
    destination = Kept()
    log = Log(options, destination)
    octets = b"".join(line + b"\n" for line in lines)
    for place in range(0, len(octets), 7):
        log.write(octets[place : place + 7])
    assert destination.lines == [lines[number] for number in kept]


def test_a_short_line_has_no_time_and_one_without_end_is_cut() -> None:
    destination = Kept()
    log = Log(LogOptions(short=True), destination)
    log.write(STAMP + b"ribd INFO ready\n" + b"x" * (LINE_OCTETS + 1))
    assert destination.lines == [b"ribd INFO ready", b"x" * (LINE_OCTETS + 1)]


@pytest.mark.parametrize("name", [f"host:{'a' * 64}", "host:a..b", "file:/a\0b"])
def test_a_destination_that_cannot_be_is_named_in_the_error(name: str) -> None:
    with pytest.raises(OSError, match=re.escape(f"exabgp.log.destination is '{name}': ")):
        open_destination(name)


class FakeControl:
    """control, which comes and goes as the test says."""

    def __init__(self, _loop: Any, _path: Path, on_message: Any, on_connect: Any, _on_bad: Any) -> None:
        self.answer, self._on_connect = on_message, on_connect
        self.connected = False
        self.got: list[Message] = []

    def send(self, message: Message) -> bool:
        self.got.append(message)
        return True

    def come(self) -> None:
        self.connected = True
        self._on_connect()


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setattr("apid.run.Client", FakeControl)
    monkeypatch.setattr("apid.run.Loop", lambda: None)
    output: Any = None
    return Runner(RunDirectory(tmp_path), logging.getLogger("test"), output)


def test_orphans_are_buried_but_the_status_of_supervisord_is_left(runner: Runner) -> None:
    own: Any = subprocess.Popen(["/bin/sh", "-c", "exit 3"])
    orphans = [os.posix_spawn("/bin/true", ["true"], {}) for _ in range(3)]
    os.waitid(os.P_PID, own.pid, os.WEXITED | os.WNOWAIT)
    for pid in orphans:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    stopped: list[int] = []
    runner._supervisord = own
    runner._loop = SimpleNamespace(stop=lambda: stopped.append(own.returncode))  # type: ignore[assignment]
    runner._check()
    assert stopped == [3]
    for pid in orphans:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_signal_waits_for_control_and_counts_once(runner: Runner) -> None:
    control: Any = runner._control
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
        runner._ask(number)
    assert control.got == []
    control.come()
    assert [each for each in control.got if isinstance(each, Command)] == [
        Command(1, "", "reload helpers"),
        Command(2, "", "reload"),
    ]
    assert Signalled(signal.SIGUSR1) in control.got


def test_a_request_that_control_dies_over_is_told_and_not_repeated(
    runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    control: Any = runner._control
    control.come()
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        runner._ask(number)
    control.answer(Answer(1, [], False, ""))
    control.answer(Answer(1, [], True, "disk full"))
    assert "request failed request=reload: disk full" in caplog.text
    before = list(control.got)
    control.come()
    assert "may not have been carried out request=reload helpers" in caplog.text
    assert caplog.text.count("may not") == 1
    assert control.got == before


def test_what_has_ended_by_itself_does_not_keep_others_from_being_killed(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(pid: int, _number: int) -> None:
        if pid == 2:
            raise ProcessLookupError(3, "No such process")
        killed.append(pid)

    killed: list[int] = []
    programs = SimpleNamespace(processes=lambda: [{"pid": pid} for pid in (1, 2, 3)])
    monkeypatch.setattr("apid.run.Supervisor", lambda _run: programs)
    monkeypatch.setattr("apid.run.is_alive", lambda _pid: True)
    monkeypatch.setattr("apid.run.os.kill", kill)
    runner._kill_all()
    assert killed == [1, 3]

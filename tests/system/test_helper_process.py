"""A helper as a process: nothing it does stalls its bridge, nothing of it is left behind, and its last words count."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import apid.bridge.process
from apid.bridge.process import HelperProcess
from bus.loop import Loop
from bus.settings import HelperConfiguration
from tests.system.bed import kill_all, processes_with, write_script

SECONDS = 30.0


def configuration(run: list[str], respawn: bool = False) -> HelperConfiguration:
    """Return what a bridge is told of its helper, as far as the process matters."""
    values: dict[str, Any] = dict.fromkeys(HelperConfiguration.__struct_fields__, 0)
    values |= {"name": "h", "run": run, "respawn": respawn, "umask": 0o137, "user": ""}
    return HelperConfiguration(**values)


class Stage:
    """A helper process, and all that it said."""

    def __init__(self, loop: Loop, directory: Path, script: str, respawn: bool = False) -> None:
        self.loop = loop
        self.path = write_script(directory / "helper", script)
        self.said = b""
        self.errors: list[str] = []
        self.statuses: list[int] = []
        self.pids: list[int] = []
        self.closed: list[str] = []
        self.killed: list[str] = []
        self.helper_complained, self.helper_closed = self.errors.append, self.closed.append
        self.helper_killed = self.killed.append
        self.helper_started, self.helper_exited = self.pids.append, self.statuses.append
        self.helper = HelperProcess(loop, configuration([str(self.path)], respawn), self)
        loop.on_signal(signal.SIGCHLD, self.helper.check)
        self.helper.start()

    def helper_writable(self) -> None:
        """Nothing waits."""

    def helper_readable(self) -> None:
        """Take it."""
        self.said += self.helper.read() or b""

    def until(self, condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        """Turn the loop until a condition holds."""
        deadline = self.loop.now() + seconds
        while not condition():
            assert self.loop.now() < deadline, f"waited {seconds:g} s for {what}: {self.said[-200:]!r} {self.errors}"
            self.loop.call_later(0.02, lambda: None)
            self.loop.turn()


@pytest.fixture
def stage(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []
    former = signal.getsignal(signal.SIGCHLD)

    def make(script: str, respawn: bool = False) -> Stage:
        loop = Loop()
        made.append(Stage(loop, directory, "#!/bin/sh\n" + script, respawn))
        return made[-1]

    yield make
    for each in made:
        each.loop.close()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, former)
    kill_all(str(directory))


def test_what_it_prints_arrives_and_what_is_written_is_read(stage: Callable[..., Stage]) -> None:
    helper = stage('read line; echo "got $line"; exit 3\n')
    assert helper.helper.write(b"hello\n") == 6
    helper.until(lambda: helper.statuses, "the end")
    assert helper.said == b"got hello\n"
    assert helper.statuses == [3]
    assert helper.helper.pid == 0


def test_lines_on_stderr_are_told_one_by_one_and_cut(stage: Callable[..., Stage]) -> None:
    helper = stage("echo one >&2; printf 'two\\nwithout end' >&2; exit 0\n")
    helper.until(lambda: helper.statuses, "the end")
    assert helper.errors == ["one", "two", "without end"]
    helper = stage("head -c 20000 /dev/zero | tr '\\0' x >&2; exit 0\n")
    helper.until(lambda: helper.statuses, "the end")
    assert all(len(line) <= apid.bridge.process.STDERR_LINE for line in helper.errors)
    assert set("".join(helper.errors)) == {"x"}


def test_its_last_words_are_read_even_while_it_is_paused(stage: Callable[..., Stage]) -> None:
    helper = stage("head -c 900000 /dev/zero | tr '\\0' x; exit 0\n")
    helper.helper.pause_reading(True)
    helper.until(lambda: helper.statuses, "the end")
    assert len(helper.said) == 900_000


def test_a_pause_lets_the_pipe_push_back(stage: Callable[..., Stage]) -> None:
    helper = stage("while :; do echo a long line of text that says nothing new; done\n")
    helper.until(lambda: len(helper.said) > 10_000, "output")
    helper.helper.pause_reading(True)
    size = len(helper.said)
    waited: list[bool] = []
    helper.loop.call_later(0.2, lambda: waited.append(True))
    helper.until(lambda: waited, "a while")
    assert len(helper.said) == size
    helper.helper.pause_reading(False)
    helper.until(lambda: len(helper.said) > size, "more output")
    helper.helper.stop()
    helper.until(lambda: helper.statuses, "the end")


def test_a_helper_that_does_not_read_takes_what_the_pipe_holds_and_no_more(stage: Callable[..., Stage]) -> None:
    helper = stage("echo ready; sleep 60\n")
    helper.until(lambda: helper.said, "the start")
    before = time.monotonic()
    taken = sum(helper.helper.write(b"x" * 65536) for _ in range(100))
    assert time.monotonic() - before < 1
    assert 65536 <= taken <= apid.bridge.process.PIPE_SIZE
    assert helper.helper.write(b"x") == 0
    helper.helper.stop()
    helper.until(lambda: helper.statuses, "the end")


def test_a_helper_that_closed_its_stdin_swallows_everything(stage: Callable[..., Stage]) -> None:
    helper = stage("exec <&-; echo closed; sleep 60\n")
    helper.until(lambda: helper.said, "the start")
    assert helper.helper.write(b"x" * 100) == 100
    assert helper.helper.write(b"x" * 100) == 100
    assert helper.helper.pid
    helper.helper.stop()
    helper.until(lambda: helper.statuses, "the end")


def test_a_helper_that_closed_its_stdout_goes_on(stage: Callable[..., Stage]) -> None:
    helper = stage('exec >&-; read line; echo "$line" >&2; exit 0\n')
    helper.until(lambda: helper.helper._stdout < 0, "the close")
    assert helper.helper.pid
    helper.helper.write(b"still here\n")
    helper.until(lambda: helper.statuses, "the end")
    assert helper.errors == ["still here"]


def test_what_it_left_behind_is_ended_with_it(stage: Callable[..., Stage], directory: Path) -> None:
    script = write_script(directory / "child", "#!/bin/sh\nsleep 61\n")
    helper = stage(f"{script} & echo started; exit 0\n")
    helper.until(lambda: helper.statuses, "the end")
    helper.until(lambda: not processes_with(str(script)), "its child to end")


def test_one_that_exits_leaves_nobody_who_writes_for_ever(stage: Callable[..., Stage]) -> None:
    helper = stage("echo last words; yes & exit 0\n")
    helper.until(lambda: helper.statuses, "the end")
    assert helper.killed
    assert helper.said.startswith(b"last words\n")
    assert len(helper.said) < 100 * apid.bridge.process.PIPE_SIZE


def test_one_that_has_left_its_group_and_writes_for_ever_is_left_alone(
    stage: Callable[..., Stage], directory: Path
) -> None:
    writer = write_script(directory / "writer", "#!/bin/sh\nexec yes\n")
    helper = stage(f"setsid {writer} & sleep 0.2; yes >&2 & exit 0\n")
    helper.until(lambda: helper.statuses, "the end")
    assert helper.killed


def test_all_that_it_said_on_stderr_before_its_end_is_told(stage: Callable[..., Stage]) -> None:
    line = "x" * 63
    helper = stage(f"for i in $(seq {3 * 1024}); do echo {line} >&2; done; printf 'the reason' >&2; exit 1\n")
    os.waitid(os.P_PID, helper.helper.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nothing was read
    helper.helper.check()
    assert helper.errors == [*([line] * 3 * 1024), "the reason"]


def test_one_that_ignores_sigterm_is_killed(stage: Callable[..., Stage], directory: Path) -> None:
    helper = stage("trap '' TERM; echo ready; while :; do sleep 0.1; done\n")
    helper.until(lambda: helper.said, "the start")
    before = time.monotonic()
    helper.helper.stop()
    helper.until(lambda: helper.statuses, "the end")
    assert helper.statuses == [-signal.SIGKILL]
    assert time.monotonic() - before < 4


def test_it_is_started_again_with_growing_pauses(stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    helper = stage("exit 7\n", respawn=True)
    moments: list[float] = []
    delays: list[float] = []  # meant, while what is measured is longer by what else the machine does

    def count() -> bool:
        while len(moments) < len(helper.pids):
            moments.append(time.monotonic())
            delays.append(helper.helper._delay)
        return len(helper.pids) >= 4

    helper.until(count, "four starts")
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert 0 < delays[1] < delays[2] < delays[3]
    assert pauses[0] < pauses[-1] < 4
    assert set(helper.statuses) == {7}
    assert helper.helper.starts == 4
    helper.helper.stop()


def test_one_that_cannot_be_started_is_tried_again(stage: Callable[..., Stage]) -> None:
    helper = stage("echo now it works; sleep 60\n", respawn=True)
    helper.until(lambda: helper.said, "the start")
    helper.path.rename(helper.path.with_name("away"))
    helper.helper.restart()
    helper.until(lambda: any("cannot be started" in line for line in helper.errors), "the failure to be told")
    helper.path.with_name("away").rename(helper.path)
    helper.said = b""
    helper.until(lambda: helper.said, "another start")
    helper.helper.stop()
    helper.until(lambda: len(helper.statuses) == 2, "the end")


@pytest.mark.parametrize("run", [["/bin/echo", "a\0b"], ["/bin/echo", "a\ud800"]])
def test_one_that_no_system_call_can_start_is_told_of_and_tried_again(
    stage: Callable[..., Stage], run: list[str]
) -> None:
    helper = stage("sleep 60\n", respawn=True)
    helper.helper.reconfigure(configuration(run, respawn=True))
    helper.until(lambda: any("cannot be started" in line for line in helper.errors), "the failure to be told")
    helper.helper.stop()


def test_one_whose_preparation_fails_is_told_of_and_tried_again(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("no preparation")

    monkeypatch.setattr(apid.bridge.process, "strip", fail)
    helper = stage("exit 0\n", respawn=True)
    assert any("cannot be started" in line for line in helper.errors)
    helper.helper.stop()


def test_a_restart_replaces_it_at_once_by_what_the_configuration_says_now(
    stage: Callable[..., Stage], directory: Path
) -> None:
    helper = stage("echo first; sleep 60\n", respawn=True)
    helper.until(lambda: helper.said == b"first\n", "the start")
    other = write_script(directory / "other", "#!/bin/sh\necho second; sleep 60\n")
    before = time.monotonic()
    helper.helper.reconfigure(configuration([str(other)]))
    helper.until(lambda: helper.said == b"first\nsecond\n", "the other")
    assert time.monotonic() - before < 2
    assert len(helper.pids) == 2
    assert not processes_with(str(helper.path))
    helper.helper.stop()
    helper.until(lambda: len(helper.statuses) == 2, "the end")


def test_a_stop_while_it_waits_to_be_started_again_is_the_end(stage: Callable[..., Stage]) -> None:
    helper = stage("exit 7\n", respawn=True)
    helper.until(lambda: helper.statuses, "the end")
    helper.helper.stop()
    starts = helper.helper.starts
    helper.loop.call_later(0.6, lambda: None)
    for _ in range(40):
        helper.loop.call_later(0.02, lambda: None)
        helper.loop.turn()
    assert helper.helper.starts == starts


def test_its_files_are_made_with_the_configured_umask(stage: Callable[..., Stage], directory: Path) -> None:
    helper = stage(f"echo x > {directory}/made; exit 0\n")
    helper.until(lambda: helper.statuses, "the end")
    assert (directory / "made").stat().st_mode & 0o777 == 0o640


def test_a_small_share_of_pipe_memory_is_no_hindrance(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apid.bridge.process, "PIPE_SIZE", 1 << 30)  # more than the kernel gives
    helper = stage("echo works; exit 0\n")
    helper.until(lambda: helper.statuses, "the end")
    assert helper.said == b"works\n"

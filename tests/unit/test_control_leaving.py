"""A configuration is left for the other processes whole or not at all, wherever a disk is full or a death comes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from apid.amend import delete, shut
from apid.control import enforce
from apid.control.enforce import put_in_place, read_wanted
from apid.control.leaving import finish, leave
from apid.live import Live, Shut, Wanted
from bus.daemon import RunDirectory
from tests.unit.control_stage import CONFIGURATION, compiled

BEFORE = Wanted(compiled(), Live())
OTHER = (
    CONFIGURATION.replace("127.0.0.13", "127.0.0.14").replace("hold-time 30", "hold-time 60")
    + "process q { run /bin/cat; }"
)
AFTER = shut(Wanted(compiled(OTHER), Live()), ["127.0.0.12"], Shut("noon", True))
STEPS = ("replace", "rename", "unlink", "mkdir", "write_text", "hardlink_to")


class Killed(BaseException):
    """Nothing more is done."""


class Disk:
    """Counts what changes files, and fails at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.error: BaseException = Killed()
        for name in STEPS:
            monkeypatch.setattr(Path, name, self._counted(getattr(Path, name)))
        monkeypatch.setattr(os, "fsync", self._counted(os.fsync))

    def _counted(self, function: Any) -> Any:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise self.error
            return function(*arguments, **options)

        return counted


def tree(run: RunDirectory) -> dict[str, bytes]:
    paths = [*run.settings.iterdir(), *run.programs.iterdir(), run.live, run.pending, run.applied]
    return {str(path.relative_to(run.path)): path.read_bytes() for path in paths if path.exists()}


def begin(path: Path) -> RunDirectory:
    """Return a run directory with a configuration in force, and another one that ribd has not taken yet."""
    run = RunDirectory(path)
    run.create()
    leave(run, BEFORE)
    put_in_place(run, "")
    leave(run, delete(BEFORE, ["127.0.0.13"]))
    return run


@pytest.mark.parametrize("error", [Killed(), OSError(28, "No space left on device")], ids=["killed", "full disk"])
def test_wherever_it_breaks_off_all_is_as_before_or_as_it_is_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(enforce, "new_epoch", lambda: "revision")
    disk = Disk(monkeypatch)
    run = begin(tmp_path / "run")
    old = tree(run)
    leave(run, AFTER)
    new = tree(run)
    assert {"settings/peerd-127.0.0.14", "programs/helper-q.conf"} <= new.keys() - old.keys()
    assert "settings/peerd-127.0.0.13" not in new
    seen = []
    for number in range(1, 200):
        shutil.rmtree(run.path)
        run = begin(tmp_path / "run")
        disk.left, disk.error = number, error
        try:
            leave(run, AFTER)
        except (Killed, OSError):
            # Whoever could not leave it says so, and has left nothing; unless it was decided.
            assert isinstance(error, Killed) or run.decided.exists() or tree(run) == old
        else:
            break
        finally:
            disk.left = -1
        finish(run)  # as the next life does, or the next command
        assert tree(run) in (old, new), number
        assert not any(path.exists() for path in (run.staged, run.decided, run.staged_state))
        wanted = read_wanted(run)
        assert wanted is not None  # what commands change
        seen.append(tree(run) == new)
    assert seen == sorted(seen)
    assert 8 < seen.count(False) < len(seen)


def test_what_is_in_place_already_is_not_written_again(tmp_path: Path) -> None:
    run = begin(tmp_path)
    before = {path: path.stat().st_ino for path in [*run.settings.iterdir(), *run.programs.iterdir()]}
    leave(run, shut(delete(BEFORE, ["127.0.0.13"]), ["127.0.0.12"], Shut("noon", True)))
    after = {path: path.stat().st_ino for path in [*run.settings.iterdir(), *run.programs.iterdir()]}
    assert [path.name for path in before if before[path] != after[path]] == ["peerd-127.0.0.12"]

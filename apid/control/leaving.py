"""Leave a configuration for the other processes to read and for control to put in force: all of its files, or none.

The new files are first written beside those in place, which is where a disk may turn out to be full. Then one rename
decides. From there on files only change their names, and whoever finds that this was interrupted completes it.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from apid.compile import Compiled
from apid.control.enforce import as_stored, read_applied, remember_attempt, write_pending
from apid.live import Wanted
from apid.programs import remove_others, write_files
from bus.daemon import RUN_DIRECTORY_MODE, RunDirectory
from bus.schema import SchemaError
from bus.settings import SessionConfiguration, read_peerd, write_settings

Session = tuple[str, str]  # the peerd that has it, its neighbor


def leave(run: RunDirectory, wanted: Wanted) -> list[Session]:
    """Write everything that the other processes are told, and leave the whole for control to put in force.

    Return the sessions whose settings have changed: they have to begin anew. OSError: nothing has changed.
    """
    finish(run)
    changed = _changed(run, wanted.compiled)
    try:
        for directory in (_settings(run.staged), _programs(run.staged), run.staged_state):
            directory.mkdir(mode=RUN_DIRECTORY_MODE, parents=True)
        write_files(run, wanted.compiled, _settings(run.staged), _programs(run.staged))
        live = replace(wanted.live, identities=wanted.compiled.applied.identities)
        write_settings(run.staged_state / run.live.name, live.message())
        write_pending(run.staged_state / run.pending.name, wanted.compiled.applied)
        remember_attempt(run)
        run.staged.rename(run.decided)
    except OSError:
        drop_staged(run)
        raise
    finish(run)
    return changed


def finish(run: RunDirectory) -> None:
    """Put what was decided in its place; drop what was not."""
    if run.decided.exists():
        pending = read_applied(run.staged_state / run.pending.name)
        for source, target in ((_settings, run.settings), (_programs, run.programs)):
            for path in source(run.decided).iterdir():
                path.replace(target / path.name)
        if pending is not None:
            remove_others(run, pending.programs)
            with suppress(FileNotFoundError):  # it is in its place already
                (run.staged_state / run.live.name).replace(run.live)
            (run.staged_state / run.pending.name).replace(run.pending)
        run.decided.rename(run.staged)
    drop_staged(run)


def drop_staged(run: RunDirectory) -> None:
    """Remove files that were written and not decided upon."""
    for directory in (run.staged, run.staged_state):
        shutil.rmtree(directory, ignore_errors=True)


def _settings(directory: Path) -> Path:
    return directory / "settings"


def _programs(directory: Path) -> Path:
    return directory / "programs"


def _changed(run: RunDirectory, compiled: Compiled) -> list[Session]:
    changed = []
    for program, settings in compiled.peerds.items():
        path = run.settings / program
        former: dict[str, SessionConfiguration] = {}
        with suppress(FileNotFoundError, SchemaError):  # what cannot be read any more will be written anew
            former = {each.name: each for each in read_peerd(path)}
        for session in map(SessionConfiguration.from_wire, as_stored(settings.sessions)):
            old = former.get(session.name)
            if old is not None and not old.same_session(session):
                changed.append((program, session.name))
    return changed

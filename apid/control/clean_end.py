"""A clean end leaves nothing of this life for the next, but what is kept on disk and neighbors that are to be kept."""

from __future__ import annotations

import shutil

from apid.control.enforce import attempts
from apid.live import forget_all_but_kept
from bus.daemon import RunDirectory


def forget(run: RunDirectory, journal: bool) -> None:
    """Clear settings with their passwords, and, where it is not kept on disk, the state.

    The journal is ribd's as long as that runs: `journal` says that it does not.
    """
    journals = [run.journal] if journal and not run.durable else []
    for path in (run.settings, run.programs, run.staged, run.decided, run.staged_state, *journals):
        shutil.rmtree(path, ignore_errors=True)
    if run.durable:
        return
    for path in (run.applied, run.pending, run.lineage, run.watchdogs, *attempts(run)):
        path.unlink(missing_ok=True)
    forget_all_but_kept(run.live)

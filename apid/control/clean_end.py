"""A clean end leaves nothing of this life for the next, but for the neighbors that are to be kept."""

from __future__ import annotations

import shutil

from apid.live import forget_all_but_kept
from bus.daemon import RunDirectory


def forget(run: RunDirectory, journal: bool) -> None:
    """Clear configuration, settings with their passwords, and the journal where ribd does not write it any more."""
    for path in (run.settings, run.programs, *([run.journal] if journal else [])):
        shutil.rmtree(path, ignore_errors=True)
    for path in (run.applied, run.pending, run.path / "watchdogs"):
        path.unlink(missing_ok=True)
    forget_all_but_kept(run.live)

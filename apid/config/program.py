"""Find the program of a `run` directive and check that it may be run. The only file look-ups of the checker."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

_ETC = "/etc/exabgp"
_ETC_PREFIX = "etc/exabgp/"


class ProgramError(Exception):
    """A program that cannot or must not be run; the text says which and why."""


def resolve(program: str, directory: str, environment: Mapping[str, str]) -> str:
    """Return the absolute path of a program, checked; raise `ProgramError`.

    A name that is not absolute is looked up in `$PATH`, else below `directory` (that of the configuration
    file), below /etc/exabgp and below the current directory. One that begins with etc/exabgp/ is looked up
    in `$EXABGP_ETC`, /etc/exabgp and below the current directory.
    """
    candidates = _candidates(program, directory, environment)
    found = [path for path in candidates if os.path.exists(path)]
    if not found:
        if os.path.isabs(program):
            raise ProgramError(f"the program {program} does not exist")
        places = ", ".join(dict.fromkeys(os.path.dirname(path) for path in candidates))
        raise ProgramError(f"the program {program} is in none of {places}")
    reasons = [_refusal(path) for path in found]
    for path, reason in zip(found, reasons, strict=True):
        if not reason:
            return os.path.abspath(path)
    raise ProgramError(reasons[0])


def _candidates(program: str, directory: str, environment: Mapping[str, str]) -> list[str]:
    """List the paths where a program may be, the best first."""
    if os.path.isabs(program):
        return [program]
    if program.startswith(_ETC_PREFIX):
        rest = program[len(_ETC_PREFIX) :]
        configured = environment.get("EXABGP_ETC", "")
        places = [_ETC, os.path.join(os.getcwd(), "etc", "exabgp")]
        if configured:
            places.insert(0, configured)
        return [os.path.join(place, rest) for place in places]
    path = environment.get("PATH", os.defpath)
    places = [] if "/" in program else [place for place in path.split(os.pathsep) if place]
    return [os.path.normpath(os.path.join(place, program)) for place in (*places, directory, _ETC, os.getcwd())]


def _refusal(path: str) -> str:
    """Say why a file must not be run, or nothing."""
    try:
        status = os.stat(path)
    except OSError as error:
        return f"the program {path} cannot be looked at: {error.strerror}"
    if stat.S_ISDIR(status.st_mode):
        return f"{path} is a directory, not a program"
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not a regular file"
    if status.st_mode & stat.S_ISUID:
        return f"{path} is set-uid: it could do more than we may"
    if status.st_mode & stat.S_ISGID:
        return f"{path} is set-gid: it could do more than we may"
    if not os.access(path, os.X_OK) or not status.st_mode & 0o111:
        return f"{path} is not executable"
    return ""

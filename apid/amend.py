"""Changes of what is in force without reading the configuration files: what `peer create` and its kin want."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from apid.compile import Compiled
from apid.config.errors import ConfigurationError, ConfigurationErrors
from apid.config.load import load_text
from apid.config.names import named
from apid.live import Created, Live, Shut, Wanted, with_neighbor, with_shut, without_neighbors
from apid.load import NOTHING, SOFTWARE_VERSION, Former, LoadError, read_environment
from bus.names import own_address


def create(wanted: Wanted, text: str, keep: bool, former: Former = NOTHING) -> Wanted:
    """Add the neighbor of a section of a configuration; LoadError where it is wrong or there already.

    `former`: what neighbors have until now, this one or others of its address.
    """
    compiled, live = wanted.compiled, wanted.live
    try:
        configuration = load_text(text, os.environ, "peer create", processes=compiled.helpers)
    except ConfigurationErrors as error:
        raise LoadError("; ".join(map(_said, error.errors))) from error
    (neighbor,) = configuration.neighbors
    if neighbor.name in map(own_address, compiled.applied.neighbors):
        raise LoadError(f"the neighbor {neighbor.name} exists already")
    if named([neighbor], former.identities) != (neighbor,):
        raise LoadError(f"others have the address {neighbor.name} until this is in force")
    environment, _ = read_environment(os.environ)
    program = former.programs.get(neighbor.name, "")
    compiled = with_neighbor(compiled, neighbor, environment, SOFTWARE_VERSION, program)
    return Wanted(compiled, replace(live, created={**live.created, neighbor.name: Created(text, keep)}))


def _said(error: ConfigurationError) -> str:
    """Return what is wrong, and in which statement: the line as a whole is nothing that anybody has written."""
    place = error.column - error.cut
    before, after = error.source_line[:place], error.source_line[place:]
    statement = re.split("[{;]", before)[-1] + re.split("[{;]", after)[0]
    return f"{error.message} (in '{statement.strip()}')" if statement.strip() else error.message


def delete(wanted: Wanted, names: Collection[str], left_out: Collection[str] = ()) -> Wanted:
    """Remove neighbors, and forget those that `restore` left out; LoadError where there is none of them."""
    compiled, live = wanted.compiled, wanted.live
    there = compiled.applied.neighbors
    gone = {name for name in names if name in there} | {
        name for name in left_out if name in live.created and name not in there
    }
    if not gone:
        raise LoadError("there is no such neighbor any more")
    left = replace(
        live,
        created={name: each for name, each in live.created.items() if name not in gone},
        shut={name: each for name, each in live.shut.items() if name not in gone},
    )
    return Wanted(without_neighbors(compiled, gone), left)


def shut(wanted: Wanted, names: Iterable[str], why: Shut) -> Wanted:
    """End the sessions of neighbors, and refuse new ones."""
    there = {name: why for name in names if name in wanted.compiled.applied.neighbors}
    return _with_shut(wanted, replace(wanted.live, shut={**wanted.live.shut, **there}))


def enable(wanted: Wanted, names: Collection[str]) -> Wanted:
    """Open neighbors that were shut."""
    left = {name: each for name, each in wanted.live.shut.items() if name not in names}
    return _with_shut(wanted, replace(wanted.live, shut=left))


def _with_shut(wanted: Wanted, live: Live) -> Wanted:
    return Wanted(with_shut(wanted.compiled, live.shut), live)


def restore(compiled: Compiled, live: Live, former: Former = NOTHING) -> tuple[Wanted, list[str]]:
    """Amend what was just compiled by what is to be kept; return also what could not be restored, and why.

    That is kept all the same: the helper that a neighbor belongs to may come back. `former` as for `create`.
    """
    wanted, problems = Wanted(compiled, live), []
    for name, each in live.created.items():
        try:
            wanted = create(wanted, each.text, each.keep, former)
        except LoadError as error:
            problems.append(f"the neighbor {name} that 'peer create … keep' made is left out: {error}")
    if live.shut:
        known = {*wanted.compiled.applied.neighbors, *live.created}
        there = {name: each for name, each in live.shut.items() if name in known}
        wanted = _with_shut(wanted, replace(wanted.live, shut=there))
    return wanted, problems

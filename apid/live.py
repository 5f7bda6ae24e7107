"""Neighbors that commands create, delete, shut and open while the daemon runs. Pure, but for one file.

A command amends what is compiled already: the configuration files are read on a reload only. A created neighbor is
kept as the section of a configuration that stands for it, so that a reload compiles it anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from apid.compile import (
    SHARD,
    SHARD_ABOVE,
    Compiled,
    compile_configuration,
    helper_program,
    own_program,
    shard,
    with_generation,
)
from apid.config.model import Configuration, Neighbor, Process
from apid.config.options import Environment
from apid.load import LoadError
from bus.daemon import RunDirectory
from bus.schema import (
    AppliedConfiguration,
    HelperSettings,
    ListenerSettings,
    LiveNeighbors,
    PeerdSettings,
    SchemaError,
)
from bus.settings import ApiBinding, read_peerd, read_settings, write_settings


class Created(Struct, frozen=True):
    """A neighbor as a section of a configuration; `keep`: it outlives a reload and a restart."""

    text: str
    keep: bool


class Shut(Struct, frozen=True):
    """Why a neighbor is shut, for its peer (RFC 9003); `keep` as above."""

    communication: str
    keep: bool


class Live(Struct, frozen=True):
    """What commands did to neighbors, by name; `origins` names the last of them, so that none is done again.

    `identities` says, in the file, who has these names.
    """

    created: Mapping[str, Created] = field(default_factory=dict)
    shut: Mapping[str, Shut] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    identities: Mapping[str, str] = field(default_factory=dict)

    def kept(self) -> Live:
        """Return what outlives a reload."""
        return replace(
            self,
            created={name: each for name, each in self.created.items() if each.keep},
            shut={name: each for name, each in self.shut.items() if each.keep},
        )

    def message(self) -> LiveNeighbors:
        """Return what the file holds."""
        created = [[name, each.text, each.keep] for name, each in self.created.items()]
        shut = [[name, each.communication, each.keep] for name, each in self.shut.items()]
        return LiveNeighbors(created, shut, list(self.origins), dict(self.identities))


class Wanted(Struct, frozen=True):
    """What is to be in force: a compiled configuration, commands included, and what those were."""

    compiled: Compiled
    live: Live


def read_live(path: Path) -> Live:
    """Read what commands did; nothing where there is no file. OSError, or LoadError where it is damaged."""
    if not path.exists():
        return Live()
    try:
        value = read_settings(path)
    except SchemaError as error:
        raise LoadError(f"{path}, which keeps the neighbors that commands made, is damaged: {error}") from error
    if not isinstance(value, LiveNeighbors):
        raise LoadError(f"{path} holds {type(value).__name__}, not LiveNeighbors")
    return Live(
        {name: Created(text, keep) for name, text, keep in value.created},
        {name: Shut(communication, keep) for name, communication, keep in value.shut},
        tuple(value.origins),
        value.identities,
    )


def write_live(path: Path, live: Live) -> None:
    """Keep what commands did; no file for nothing."""
    if not live.created and not live.shut:
        path.unlink(missing_ok=True)
        return
    write_settings(path, live.message())


def forget_all_but_kept(path: Path) -> None:
    """Leave only what outlives a restart. A damaged file stays as it is: the next start tells of it."""
    with suppress(LoadError):
        write_live(path, read_live(path).kept())


def read_compiled(run: RunDirectory, applied: AppliedConfiguration) -> Compiled:
    """Read back what the settings files say. OSError or SchemaError."""
    peerds: dict[str, PeerdSettings] = {}
    helpers: dict[str, HelperSettings] = {}
    listener: ListenerSettings | None = None
    for program in applied.programs:
        settings = read_settings(run.settings / program)
        match settings:
            case PeerdSettings():
                peerds[program] = settings
            case HelperSettings():
                helpers[settings.helper["name"]] = settings
            case ListenerSettings():
                listener = settings
            case _:
                raise SchemaError(f"{run.settings / program} holds {type(settings).__name__}")
    return Compiled(peerds, helpers, listener, applied)


def placed(run: RunDirectory) -> dict[str, str]:
    """Return which program has which neighbor; settings that cannot be read any more have none."""
    found: dict[str, str] = {}
    for path in run.settings.glob("peerd-*"):
        with suppress(OSError, SchemaError):
            found |= {session.name: path.name for session in read_peerd(path)}
    return found


def with_neighbor(
    compiled: Compiled, neighbor: Neighbor, environment: Environment, version: str, program: str = ""
) -> Compiled:
    """Add a neighbor, whose helpers exist and hear of it what they hear of their first one.

    `program` is the peerd that has it already.
    """
    name = neighbor.name
    processes = tuple(Process(helper, ()) for block in neighbor.api for helper in block.processes)
    program = program or _program(compiled, name)
    extra = compile_configuration(Configuration((neighbor,), processes), environment, version, {name: program})
    helpers = dict(compiled.helpers)
    told = []
    for helper, settings in extra.helpers.items():
        known = helpers[helper].helper
        binding = {**settings.helper["bindings"][0], **known["subscription"]}
        helpers[helper] = HelperSettings({**known, "bindings": [*known["bindings"], binding]})
        if ApiBinding.from_wire(binding).subscribes:
            told.append(helper)
    (session,) = extra.peerds[program].sessions
    there = compiled.peerds[program].sessions if program in compiled.peerds else []
    peerds = {**compiled.peerds, program: PeerdSettings(program, [*there, {**session, "helpers": told}])}
    neighbors = [*compiled.applied.neighbors, name]
    routes = [*compiled.applied.routes, *extra.applied.routes]
    watchdogs = [*compiled.applied.watchdogs, *extra.applied.watchdogs]
    applied = replace(
        compiled.applied,
        neighbors=neighbors,
        routes=routes,
        watchdogs=watchdogs,
        flow_limits={**compiled.applied.flow_limits, **extra.applied.flow_limits},
        identities={**compiled.applied.identities, **extra.applied.identities},
        forgetful=[*compiled.applied.forgetful, *extra.applied.forgetful],
    )
    return _assembled(Compiled(peerds, helpers, _joined(compiled.listener, extra.listener), applied))


def _program(compiled: Compiled, name: str) -> str:
    """Return the peerd for a new neighbor: a process of its own while there are few."""
    few = len(compiled.peerds) < SHARD_ABOVE and not any(each.startswith(SHARD) for each in compiled.peerds)
    return own_program(name) if few else shard(name)


def _joined(listener: ListenerSettings | None, extra: ListenerSettings | None) -> ListenerSettings | None:
    if listener is None or extra is None:
        return listener or extra
    endpoints = listener.listener["endpoints"]
    new = [each for each in extra.listener["endpoints"] if each not in endpoints]
    neighbors = [*listener.listener["neighbors"], *extra.listener["neighbors"]]
    return ListenerSettings({"endpoints": sorted([*endpoints, *new]), "neighbors": neighbors})


def without_neighbors(compiled: Compiled, names: Collection[str]) -> Compiled:
    """Remove neighbors. Their helpers, and the addresses that are listened on, stay."""
    peerds = {}
    for program, settings in compiled.peerds.items():
        if left := [session for session in settings.sessions if session["name"] not in names]:
            peerds[program] = PeerdSettings(program, left)
    helpers = {
        helper: HelperSettings({**each.helper, "bindings": _others(each.helper["bindings"], "neighbor", names)})
        for helper, each in compiled.helpers.items()
    }
    listener = compiled.listener
    if listener is not None:
        expected = _others(listener.listener["neighbors"], "name", names)
        listener = ListenerSettings({**listener.listener, "neighbors": expected})
    applied = replace(
        compiled.applied,
        neighbors=[name for name in compiled.applied.neighbors if name not in names],
        routes=[[some, changes] for owners, changes in compiled.applied.routes if (some := _left(owners, names))],
        watchdogs=[
            [watchdog, some, changes]
            for watchdog, owners, changes in compiled.applied.watchdogs
            if (some := _left(owners, names))
        ],
        flow_limits={name: limit for name, limit in compiled.applied.flow_limits.items() if name not in names},
        identities={name: each for name, each in compiled.applied.identities.items() if name not in names},
        forgetful=_left(compiled.applied.forgetful, names),
    )
    return _assembled(Compiled(peerds, helpers, listener, applied))


def _others(records: Iterable[dict[str, Any]], key: str, names: Collection[str]) -> list[dict[str, Any]]:
    return [record for record in records if record[key] not in names]


def _left(names: Iterable[str], removed: Collection[str]) -> list[str]:
    return [name for name in names if name not in removed]


def with_shut(compiled: Compiled, shut: Mapping[str, Shut]) -> Compiled:
    """Shut exactly these neighbors, and open all others."""
    texts = {name: each.communication for name, each in shut.items()}
    peerds = {
        program: PeerdSettings(program, [{**session, "shut": texts.get(session["name"])} for session in each.sessions])
        for program, each in compiled.peerds.items()
    }
    return _assembled(replace(compiled, peerds=peerds))


def _assembled(compiled: Compiled) -> Compiled:
    """Name the programs of what was put together, and the whole."""
    names = [*compiled.peerds, *map(helper_program, compiled.helpers), *(["listener"] if compiled.listener else [])]
    return with_generation(replace(compiled, applied=replace(compiled.applied, programs=names)))

"""What a reload would change: neighbors, processes, routes; found in control, whose environment a reload would have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apid.amend import restore
from apid.compile import Compiled
from apid.control.enforce import as_stored, read_applied, read_former
from apid.difference import changes_between
from apid.live import read_live
from apid.load import LoadError, read_again
from apid.render.routes import read_set
from apid.render.show import ShownRoute, route_text
from bgp.family import Family
from bus.daemon import RunDirectory
from bus.schema import ANNOUNCE, REPLACE, REPLACE_FORM, AppliedConfiguration, HelperSettings, Message, PeerdSettings
from bus.settings import SessionConfiguration, read_settings

SIGNS = {ANNOUNCE: "+", REPLACE: "~", REPLACE_FORM: "~"}  # of routes; all others are withdrawn
Row = tuple[str, str, str, str]  # + - or ~, kind of thing, its name or neighbor, text


def changes_ahead(run: RunDirectory, files: list[str], summary: bool) -> list[Row]:
    """Compare files, or the sources of what is in force, with what is in force.

    `summary` counts routes. Raises LoadError, OSError, SchemaError.
    """
    applied = read_applied(run.applied)
    if applied is None:
        raise LoadError("no configuration is in force yet")
    former = read_former(run)
    loaded = read_again(files, former)
    compiled = restore(loaded.compiled, read_live(run.live).kept(), former)[0].compiled
    rows = [*_neighbors(run, applied, compiled), *_helpers(run, applied, compiled)]
    return rows + list(_counted(applied, compiled) if summary else _routes(applied, compiled))


def _neighbors(run: RunDirectory, applied: AppliedConfiguration, compiled: Compiled) -> list[Row]:
    old: dict[str, Any] = {}
    for program in applied.programs:
        settings = _settings(run, program)
        if isinstance(settings, PeerdSettings):
            old |= {session["name"]: session for session in settings.sessions}
    new = {
        session["name"]: as_stored(session) for settings in compiled.peerds.values() for session in settings.sessions
    }
    return [_with_cost(row, old, new) for row in _compared("neighbor", old, new)]


def _with_cost(row: Row, old: dict[str, Any], new: dict[str, Any]) -> Row:
    """Say of a changed neighbor whether its session goes on."""
    sign, kind, name, text = row
    if sign != "~":
        return row
    goes_on = SessionConfiguration.from_wire(old[name]).same_session(SessionConfiguration.from_wire(new[name]))
    return sign, kind, name, f"{text} ({'the session goes on' if goes_on else 'the session begins anew'})"


def _helpers(run: RunDirectory, applied: AppliedConfiguration, compiled: Compiled) -> list[Row]:
    old: dict[str, Any] = {}
    for program in applied.programs:
        settings = _settings(run, program)
        if isinstance(settings, HelperSettings):
            old[settings.helper["name"]] = settings.helper
    new = {name: as_stored(settings.helper) for name, settings in compiled.helpers.items()}
    return _compared("process", old, new)


def _settings(run: RunDirectory, program: str) -> Message | None:
    path = run.settings / program
    return read_settings(path) if path.exists() else None


def _compared(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[Row]:
    rows = [("-", kind, name, "") for name in old if name not in new]
    rows += [("+", kind, name, "") for name in new if name not in old]
    for name in new:
        if name in old and new[name] != old[name]:
            rows.append(("~", kind, name, ", ".join(_differences(old[name], new[name]))))
    return rows


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Name the fields that differ; a password's value is nobody's business."""
    found = []
    for key in new:
        if new[key] == old.get(key):
            continue
        name = key.replace("_", "-")
        if isinstance(new[key], dict) and isinstance(old.get(key), dict):
            found += _differences(old[key], new[key])
        elif "password" in key or isinstance(new[key], list):
            found.append(name)
        else:
            found.append(f"{name} {_value(old.get(key))} → {_value(new[key])}")
    return found


def _value(value: Any) -> Any:
    return "none" if value is None or value in ("", b"") else value


def _counted(applied: AppliedConfiguration, compiled: Compiled) -> Iterator[Row]:
    counts: dict[tuple[str, str], int] = {}
    for names, announce, _afi, _safi, _attributes, items, *_former in changes_between(applied, compiled.applied):
        for name in names:
            key = (SIGNS.get(announce, "-"), name)
            counts[key] = counts.get(key, 0) + len(items)
    for (sign, name), count in counts.items():
        yield sign, "route", name, f"{count} route{'s' if count > 1 else ''}"


def _routes(applied: AppliedConfiguration, compiled: Compiled) -> Iterator[Row]:
    for names, announce, afi, safi, octets, items, *_former in changes_between(applied, compiled.applied):
        attributes, next_hop = read_set(octets if announce in SIGNS else b"")
        for item in items:
            text = route_text(ShownRoute(Family(afi, safi), item, attributes, next_hop), extensive=True)
            for name in names:
                yield SIGNS.get(announce, "-"), "route", name, text

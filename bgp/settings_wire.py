"""Session settings and facts as plain maps and lists, for files and the bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from bgp.family import Family
from bgp.negotiate import SessionFacts
from bgp.settings import SessionSettings


def settings_to_wire(settings: SessionSettings) -> dict[str, Any]:
    """Return the fields by name; families are lists."""
    return asdict(settings)


def settings_from_wire(values: Mapping[str, Any]) -> SessionSettings:
    """Build settings from what `settings_to_wire` gave; ValueError where fields are missing or unknown."""
    names = set(SessionSettings.__struct_fields__)
    if names != values.keys():
        raise ValueError(f"session settings with {sorted(names ^ values.keys())} missing or unknown")
    changed: dict[str, Any] = dict(values)
    changed["families"] = _families(values["families"])
    if values["add_path_families"] is not None:
        changed["add_path_families"] = _families(values["add_path_families"])
    for name in ("next_hops", "paths_limits"):
        changed[name] = tuple((Family(*family), number) for family, number in values[name])
    return SessionSettings(**changed)


def facts_to_wire(facts: SessionFacts) -> dict[str, Any]:
    """Return the fields by name."""
    return asdict(facts)


def facts_from_wire(values: Mapping[str, Any]) -> SessionFacts:
    """Build facts from what `facts_to_wire` gave; ValueError where fields are missing or unknown."""
    if set(SessionFacts.__struct_fields__) != values.keys():
        raise ValueError(f"session facts with fields {sorted(values)}")
    return SessionFacts(**values)


def _families(values: Any) -> tuple[Family, ...]:
    return tuple(Family(afi, safi) for afi, safi in values)

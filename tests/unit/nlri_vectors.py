"""Read the golden vectors of the NLRI: one JSON object in a line, `tests/golden/nlri*.jsonl`.

`family` is a name, or `AFI/SAFI` where there is none; `hex` the octets on the wire without path identifier;
`value` the object's fields with octets in hex; `key`, where it is not all octets, what identifies the route.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from msgspec import Struct

import bgp.nlri
from bgp.family import FAMILIES, Family
from tests.shared import ROOT


class Vector(NamedTuple):
    """One golden NLRI."""

    id: str
    family: Family
    wire: bytes
    value: dict[str, Any]
    key: bytes


def family_of(name: str) -> Family:
    """Find a family by its name or by AFI/SAFI."""
    if name in FAMILIES:
        return FAMILIES[name]
    afi, safi = name.split("/")
    return Family(int(afi), int(safi))


def vectors() -> list[Vector]:
    """Return the vectors of all files."""
    found = []
    for path in sorted((ROOT / "tests" / "golden").glob("nlri*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            wire = bytes.fromhex(row["hex"])
            key = bytes.fromhex(row["key"]) if "key" in row else wire
            found.append(Vector(row["id"], family_of(row["family"]), wire, row["value"], key))
    return found


def dump(value: Any) -> Any:
    """Turn an object into what its vector's `value` holds; family and path identifier are left out."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [dump(element) for element in value]
    if isinstance(value, Struct):
        shown = {
            name: dump(getattr(value, name)) for name in value.__struct_fields__ if name not in ("family", "path_id")
        }
        return {"class": type(value).__name__, **shown}
    return value


def load(value: Any, **extra: Any) -> Any:
    """Build the object of a vector's `value`, with `extra` fields."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    if isinstance(value, list):
        return tuple(load(element) for element in value)
    if isinstance(value, dict):
        fields = {name: load(element) for name, element in value.items() if name != "class"}
        return getattr(bgp.nlri, value["class"])(**fields, **extra)
    return value

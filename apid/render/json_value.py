"""JSON of nested values, such as those of link-state descriptors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isfinite


def json_value(value: object) -> str:
    """Render a value. A float that JSON cannot say (infinite, not a number) becomes null."""
    return json.dumps(finite(value))


def spaced_json(value: object) -> str:
    """Render a value as `json_value` does, with spaces inside the brackets of lists and of what they hold."""
    if isinstance(value, list | tuple):
        return f"[ {', '.join(spaced_json(inner) for inner in value)} ]"
    if isinstance(value, dict):
        members = [f"{json.dumps(name)}: {json_value(inner)}" for name, inner in value.items()]
        return f"{{ {', '.join(members)} }}"
    return json_value(value)


def finite(value: object) -> object:
    """Replace floats that JSON cannot say, at any depth."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value


def members_json(pairs: Iterable[tuple[str, object]], listed: bool) -> str:
    """Render pairs as an object. The values of a name that occurs twice become one list, or the last one stands."""
    values: dict[str, list[object]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    members = {name: several if listed and len(several) > 1 else several[-1] for name, several in values.items()}
    texts = [f"{json.dumps(name)}: {json_value(value)}" for name, value in members.items()]
    return f"{{ {', '.join(texts)} }}"

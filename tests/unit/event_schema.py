"""Validate events against docs/events.schema.json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.shared import ROOT

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/events.schema.json").read_text(encoding="utf-8"))


@cache
def validator(definition: str = "", layout: str = "") -> Draft202012Validator:
    """Return the validator of the whole schema or of one of its definitions, where `update` is of one layout."""
    if not definition:
        return Draft202012Validator(SCHEMA)
    definitions = SCHEMA["$defs"]
    if layout:
        definitions = {**definitions, "update": definitions[f"update-{layout}"]}
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": definitions})


def errors_of(value: Any, definition: str = "", layout: str = "") -> list[str]:
    """Return what is wrong with a value, by place."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(definition, layout).iter_errors(value)]


def definition_of(event: Any) -> str:
    """Name the definition of an event."""
    if "neighbor" not in event:
        return f"notice-{event['notification']}"
    return "event-octets" if "category" in event["neighbor"].get("message", {}) else f"event-{event['type']}"

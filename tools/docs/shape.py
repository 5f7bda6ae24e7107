"""Words to write a JSON Schema with: the few forms of objects, lists and strings that events are made of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}


def ref(name: str) -> Schema:
    """Refer to a definition."""
    return {"$ref": f"#/$defs/{name}"}


NUMBER = ref("number")


def pattern(expression: str) -> Schema:
    """Accept strings that match."""
    return {"type": "string", "pattern": expression}


def word(*words: str) -> Schema:
    """Accept one of several strings."""
    return {"const": words[0]} if len(words) == 1 else {"enum": list(words)}


def listed(items: Schema, least: int = 0) -> Schema:
    """Accept a list."""
    return {"type": "array", "items": items} | ({"minItems": least} if least else {})


def fixed(*items: Schema) -> Schema:
    """Accept a list of exactly these."""
    return {"type": "array", "prefixItems": list(items), "minItems": len(items), "items": False}


def either(*schemas: Schema) -> Schema:
    """Accept what one of several accepts."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def members(required: Schema, optional: Schema | None = None) -> Schema:
    """Accept an object with these members and no others."""
    both = required | (optional or {})
    return {"type": "object", "properties": both, "required": list(required), "additionalProperties": False}


def keyed(keys: str, values: Schema) -> Schema:
    """Accept an object whose names match, and whose values are all of one form."""
    return {"type": "object", "patternProperties": {keys: values}, "additionalProperties": False, "minProperties": 1}

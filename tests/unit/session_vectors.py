"""Read the golden rows of the session codecs, and turn decoded values into what a row can hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of tests/golden/NAME.jsonl."""
    return [json.loads(line) for line in (GOLDEN / f"{name}.jsonl").read_text().splitlines()]


def plain(value: object) -> Any:
    """Render a decoded value as JSON would: octets in hex, tuples as lists, objects by class and fields."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Struct):
        shown = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        return {"class": type(value).__name__, **shown}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value

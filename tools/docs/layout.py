"""Lay out JSON for readers: what fits a line stands on one."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 120


def laid_out(value: Any, indent: int = 0, head: int = 0, width: int = WIDTH) -> str:
    """Render a value; `indent` is how deep it stands, `head` the width of what stands before it on its line."""
    flat = json.dumps(value, ensure_ascii=False)
    if indent * 2 + head + len(flat) < width or not isinstance(value, dict | list) or not value:
        return flat
    inner = "  " * (indent + 1)
    if isinstance(value, dict):
        heads = [f"{json.dumps(name)}: " for name in value]
        parts = [
            f"{head}{laid_out(each, indent + 1, len(head), width)}"
            for head, each in zip(heads, value.values(), strict=True)
        ]
        opening, closing = "{", "}"
    else:
        parts = [laid_out(each, indent + 1, 0, width) for each in value]
        opening, closing = "[", "]"
    lines = f",\n{inner}".join(parts)
    return f"{opening}\n{inner}{lines}\n{'  ' * indent}{closing}"

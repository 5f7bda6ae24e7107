"""Print a compiled configuration as JSON that does not change between runs, and compile golden files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from apid.config.errors import ConfigurationErrors
from apid.config.load import load, load_text
from apid.config.model import ALL_FAMILIES, Configuration
from apid.grammar.route import RouteEntry
from bgp.family import Family
from bgp.wire import address_text

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "config"
VARIABLES = {"PATH": "/bin:/usr/bin", "PEER": "127.0.0.2", "PEER_AS": "65002", "SECRET": "a b;c"}
_WHERE = ("places", "column")
_ADDRESSES = ("router_id", "peer_address", "local_address", "md5_ip")


def dump(configuration: Configuration) -> str:
    """Render all that differs from the defaults; file names without their directories."""
    shown = {
        "neighbors": [_plain(neighbor) for neighbor in configuration.neighbors],
        "processes": [_plain(process) for process in configuration.processes],
        "sources": [Path(name).name for name in configuration.sources],
        "warnings": [
            f"{Path(warning.file).name}:{warning.line}:{warning.column}: {warning.message}"
            for warning in configuration.warnings
        ],
    }
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Turn a value of the model into what JSON knows."""
    if isinstance(value, Family):
        return str(value)
    if value == ALL_FAMILIES:
        return "all"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, RouteEntry):
        shown = value._asdict()
        return {name: _plain(shown[name]) for name in shown if shown[name] != value._field_defaults.get(name, ...)}
    if isinstance(value, Struct):
        return {
            field.name: _field(field.name, getattr(value, field.name))
            for field in fields(value)
            if field.name not in _WHERE and getattr(value, field.name) != field.default
        }
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _field(name: str, value: Any) -> Any:
    if name in _ADDRESSES and isinstance(value, bytes):
        return address_text(value)
    if name == "file":
        return Path(value).name
    return _plain(value)


def compiled(text: str) -> Configuration:
    """Compile a text."""
    return load_text(text, VARIABLES, "test.conf", str(GOLDEN))


def compiled_file(path: Path) -> Configuration:
    """Compile a file."""
    return load([str(path)], VARIABLES)


def errors_of(text: str) -> list[tuple[int, int, str]]:
    """Return line, column and message of every error of a text."""
    try:
        compiled(text)
    except ConfigurationErrors as errors:
        return [(error.line, error.column, error.message) for error in errors.errors]
    return []


def neighbor(statements: str, peer: str = "127.0.0.2") -> str:
    """Write a neighbor that has all it must have, and these statements on line 2."""
    mandatory = "router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as 65002;"
    return f"neighbor {peer} {{ {mandatory}\n{statements}\n}}\n"


def marked(text: str) -> tuple[str, int, int]:
    """Take the mark ‸ out of a text and return its line and column."""
    before, _, after = text.partition("‸")
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")

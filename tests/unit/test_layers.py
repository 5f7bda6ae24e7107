"""Who may import whom: `tools → peerd | ribd | apid → bgp | bus`, siblings never, `bgp` pure, zmq in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MAY_IMPORT = {
    "bgp": {"bgp"},
    "bus": {"bus"},
    "peerd": {"peerd", "bgp", "bus"},
    "ribd": {"ribd", "bgp", "bus"},
    "apid": {"apid", "bgp", "bus"},
    "tools": {"tools", "tests", "apid", "peerd", "ribd", "bgp", "bus"},
}
OURS = {*MAY_IMPORT, "tests"}
# The rooms of apid: whom each may import of the others. The modules beside them are shared by those below `cli`.
ROOMS: dict[str, set[str]] = {
    "grammar": set(),
    "render": set(),
    "config": {"grammar"},
    "bridge": {"grammar", "render"},
    "control": {"grammar", "render", "config"},
    "healthcheck": set(),
    "cli": {"grammar", "render", "config", "control"},
}
# What `bgp` needs: computation, no world outside.
PURE = {
    "__future__",
    "abc",
    "bisect",
    "collections",
    "contextlib",
    "enum",
    "functools",
    "itertools",
    "ipaddress",
    "math",
    "msgspec",
    "operator",
    "re",
    "struct",
    "types",
    "typing",
}
ZMQ_HOMES = ("bus/loop.py", "bus/transport.py")

MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in MAY_IMPORT
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every import, wherever in the module it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
        elif isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module"):
            yield node.lineno, _text(node.args[0]) if node.args else "?"


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "?"


def violations(path: str, source: str) -> list[str]:
    """Return what a module imports and may not."""
    folder = path.split("/")[0]
    found = []
    for line, name in imports(source):
        top = name.split(".")[0]
        if name.startswith("."):
            found.append(f"{path}:{line} imports {name} relatively")
        elif top in OURS and top not in MAY_IMPORT[folder]:
            found.append(f"{path}:{line} imports {name}: {folder} may import {sorted(MAY_IMPORT[folder])}")
        elif folder == "bgp" and top not in PURE | {"bgp"}:
            found.append(f"{path}:{line} imports {name}: bgp is pure")
        elif _is_in_another_room(path, name):
            found.append(f"{path}:{line} imports {name}: this room of apid may not")
        elif top == "zmq" and path not in ZMQ_HOMES and folder != "tools":
            found.append(f"{path}:{line} imports {name}: only {' and '.join(ZMQ_HOMES)} do")
    return found


def _is_in_another_room(path: str, name: str) -> bool:
    """Whether a module in one room of apid imports from one that it may not."""
    ours, theirs = path.split("/")[1], [*name.split("."), ""][1]
    return path.startswith("apid/") and ours in ROOMS and theirs in ROOMS and theirs not in ROOMS[ours] | {ours}


def test_the_walk_finds_the_modules() -> None:
    assert {path.split("/")[0] for path in MODULES} == set(MAY_IMPORT)
    assert set(ZMQ_HOMES) <= set(MODULES)
    assert {path.split("/")[1] for path in MODULES if path.startswith("apid/") and path.count("/") > 1} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES)
def test_a_module_imports_only_what_its_layer_may(path: str) -> None:
    assert violations(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    ("path", "source", "said"),
    [
        ("bgp/a.py", "import socket", "bgp is pure"),
        ("bgp/a.py", "def f():\n    from time import time", "bgp is pure"),
        ("bgp/a.py", "import bus.schema", "bgp may import"),
        ("bus/a.py", "from bgp.family import Family", "bus may import"),
        ("ribd/a.py", "from peerd.tcp import dial", "ribd may import"),
        ("peerd/a.py", "import apid", "peerd may import"),
        ("apid/a.py", "from ribd.rib import Rib", "apid may import"),
        ("apid/a.py", "from tests.shared import shared", "apid may import"),
        ("apid/a.py", "import zmq.utils", "only bus/loop.py and bus/transport.py"),
        ("bus/daemon.py", "import zmq", "only bus/loop.py and bus/transport.py"),
        ("apid/a.py", "import importlib\nimportlib.import_module('ribd.table')", "apid may import"),
        ("apid/grammar/a.py", "from apid.render.names import X", "this room of apid may not"),
        ("apid/control/a.py", "from apid.bridge import batch", "this room of apid may not"),
        ("apid/a.py", "from .b import c", "relatively"),
    ],
)
def test_a_forbidden_import_is_seen(path: str, source: str, said: str) -> None:
    [violation] = violations(path, source)
    assert said in violation

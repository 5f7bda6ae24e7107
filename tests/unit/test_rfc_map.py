"""docs/rfc.md names modules, tests and golden rows that exist, and every standard that we claim."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import pytest

from tests.shared import ROOT
from tests.unit.session_vectors import rows

DOCUMENT = ROOT / "docs" / "rfc.md"
CODE = re.compile(r"`([^`]+)`")

CLAIMED = {
    *(1997, 2385, 2545, 2918, 4271, 4360, 4364, 4456, 4486, 4659, 4684, 4724, 4760, 4761, 5065, 5082, 5492, 5701, 5925),
    *(6074, 6286, 6368, 6514, 6608, 6793, 7311, 7313, 7432, 7454, 7606, 7607, 7911, 8092, 8203, 8212, 8277, 8538, 8654),
    *(8669, 8950, 8955, 8956, 9003, 9012, 9072, 9085, 9136, 9234, 9252, 9494, 9514, 9552, 9687, 9830),
}


class Entry(NamedTuple):
    """One row of a table."""

    title: str
    section: str
    modules: list[str]
    tests: list[str]


def entries() -> list[Entry]:
    found, title = [], ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif line.startswith("| ") and not line.startswith("| section"):
            section, _, modules, tests = line.strip("| ").split(" | ")
            found.append(Entry(title, section, CODE.findall(modules), CODE.findall(tests)))
    return found


ENTRIES = entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=[f"{entry.title.split(',')[0]} {entry.section}" for entry in ENTRIES])
def test_modules_and_tests_of_a_section_exist(entry: Entry) -> None:
    assert entry.modules
    assert entry.tests
    for module in entry.modules:
        assert (ROOT / module).is_file(), module
    for test in entry.tests:
        check(test)


def check(test: str) -> None:
    """Check `FILE`, `FILE::NAME` or `FILE.jsonl#PREFIX`."""
    path, _, name = test.partition("::")
    path, _, prefix = path.partition("#")
    assert (ROOT / path).is_file(), path
    if name:
        assert f"def {name}(" in (ROOT / path).read_text(), test
    if prefix:
        stem = path.removeprefix("tests/golden/").removesuffix(".jsonl")
        assert any(name.startswith(prefix) for name in names(stem)), test


@cache
def names(stem: str) -> tuple[str, ...]:
    return tuple(row["id"] for row in rows(stem))


def test_every_claimed_standard_has_its_place() -> None:
    text = DOCUMENT.read_text()
    missing = {number for number in CLAIMED if not re.search(rf"\b{number}\b", text)}
    assert not missing


def test_every_module_of_the_library_that_names_a_standard_is_in_the_map() -> None:
    text = DOCUMENT.read_text()
    named = {
        str(path.relative_to(ROOT))
        for folder in ("bgp/attribute", "bgp/nlri")
        for path in (ROOT / folder).glob("*.py")
        if path.name != "__init__.py" and re.search(r"\bRFC \d{4}", path.read_text().split('"""')[1])
    }
    assert not {path for path in named if path not in text}

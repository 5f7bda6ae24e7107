"""Every test that a document names, by its file and its name, is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shared import ROOT

DOCUMENTS = [ROOT / "SECURITY.md", ROOT / "docs" / "reliability.md"]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")


def promises(path: Path) -> list[tuple[str, str]]:
    """Return (file, test or nothing) of everything that a document names."""
    return [(file, test) for file, test in NAMED.findall(path.read_text())]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_tests_that_a_document_names_exist(path: Path) -> None:
    named = promises(path)
    assert len(named) > 10
    wrong = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).exists() or (test and f"def {test}(" not in (ROOT / file).read_text())
    ]
    assert not wrong


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_row_of_a_table_of_promises_names_a_test(path: Path) -> None:
    rows = [line for line in path.read_text().splitlines() if line.startswith("| ") and line.endswith("` |")]
    assert rows
    assert not [row for row in rows if not NAMED.search(row)]

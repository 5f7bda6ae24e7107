"""What damage once brought to light must not come back: the rows of tests/golden/findings.jsonl.

`python -m tools.fuzz` prints such rows: a target of `tools.fuzz.targets`, the input, and what was wrong with it then.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.unit.session_vectors import rows
from tools.fuzz.corpus import Corpus
from tools.fuzz.judge import judge
from tools.fuzz.targets import TARGETS

FINDINGS = rows("findings")


@pytest.mark.parametrize("row", FINDINGS, ids=[f"{row['target']}-{row['was'][:40]}" for row in FINDINGS])
def test_a_finding_stays_fixed(row: dict[str, Any]) -> None:
    finding = judge(row["target"], bytes.fromhex(row["hex"]))
    # Time is the fuzzer's business: a test may run on a machine that is busy with something else.
    assert finding is None or finding.error.startswith("Slow")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus()


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_runs_and_can_be_repeated(name: str, corpus: Corpus) -> None:
    target = TARGETS[name]
    made = [target.make(Random(number), corpus) for number in range(40)]
    assert made == [target.make(Random(number), corpus) for number in range(40)]
    assert len(set(made)) > 20
    for data in made:
        target.check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_takes_the_shortest_inputs(name: str) -> None:
    for data in (b"", b"\0", b"\xff\xff", b"\0\0\0\0"):
        TARGETS[name].check(data)

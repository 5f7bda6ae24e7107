"""Run one input and say what is wrong with it; make a finding small."""

from __future__ import annotations

import json
import traceback
from math import inf
from random import Random
from time import process_time

from msgspec import Struct

from tools.fuzz.targets import TARGETS

BUDGET = 0.05  # seconds of processor time for each pass over 4096 octets begun
UNIT = 4096
SHRINK_TRIES = 400


class Finding(Struct, frozen=True):
    """An input that was not taken as it should have been; `place` is the innermost line of code."""

    target: str
    data: bytes
    error: str
    place: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What two findings of one cause share."""
        return self.target, self.error.split(":")[0], self.place

    def row(self) -> str:
        """Return a row for tests/golden/findings.jsonl."""
        return json.dumps({"target": self.target, "hex": self.data.hex(), "was": f"{self.error} at {self.place}"})


def judge(target: str, data: bytes) -> Finding | None:
    """Feed an input to a target; return what went wrong."""
    began = process_time()
    # Whatever escapes a target is what we are here for.
    try:
        TARGETS[target].check(data)
    except Exception as error:  # noqa: BLE001
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Finding(target, data, f"{type(error).__name__}: {error}"[:300], f"{last.filename}:{last.lineno}")
    spent = process_time() - began
    if spent <= allowed(target, data):
        return None
    return Finding(target, data, f"Slow: {spent * 1000:.0f} ms for {len(data)} octets", "")


def allowed(target: str, data: bytes) -> float:
    """Return the processor time that an input may take."""
    large = TARGETS[target].large
    if large is not None and large in data:
        return inf
    return BUDGET * (1 + len(data) // UNIT) * TARGETS[target].passes


def confirm(finding: Finding) -> Finding | None:
    """Run a finding again: slowness may have been somebody else's."""
    for _ in range(2):
        again = judge(finding.target, finding.data)
        if again is None or again.identity != finding.identity:
            return None
    return finding


def shrink(finding: Finding) -> Finding:
    """Leave out what does not matter."""
    random = Random(0)
    best = finding
    for attempt in range(SHRINK_TRIES):
        data = best.data
        if len(data) < 2:
            break
        size = max(1, len(data) >> (1 + attempt * 12 // SHRINK_TRIES))
        start = random.randrange(len(data))
        found = judge(best.target, data[:start] + data[start + size :])
        if found is not None and found.identity == best.identity:
            best = found
    return best

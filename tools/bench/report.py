"""The table and the JSON of the results."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.bench.work import Result

Results = Mapping[str, Sequence[Result]]

REFERENCE = "exabgp"


def medians(results: Results) -> dict[str, dict[str, Result]]:
    """Return {name: {speaker: the median run}}."""
    grouped: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for speaker, runs in results.items():
        for result in runs:
            grouped[result.name][speaker].append(result)
    return {name: {speaker: _median(runs) for speaker, runs in speakers.items()} for name, speakers in grouped.items()}


def _median(runs: list[Result]) -> Result:
    middle = statistics.median_low(run.value for run in runs)
    return next(run for run in runs if run.value == middle)


def points(results: Results, speaker: str) -> dict[str, tuple[int, float]]:
    """Return {name: (count, median)} of one speaker."""
    found = {name: speakers[speaker] for name, speakers in medians(results).items() if speaker in speakers}
    return {name: (result.count, result.value) for name, result in found.items()}


def table(results: Results, speakers: Sequence[str]) -> str:
    """Return the table: for each work every speaker's median with its count, and how many times better than ExaBGP."""
    rows = [["work", "unit", *(f"{speaker} (of)" for speaker in speakers), f"against {REFERENCE}"]]
    for name, by_speaker in medians(results).items():
        unit = next(iter(by_speaker.values())).unit
        cells = [_cell(by_speaker.get(speaker)) for speaker in speakers]
        rows.append([name, unit, *cells, _ratio(by_speaker, speakers[0])])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        padded = [
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(result: Result | None) -> str:
    if result is None:
        return "-"
    digits = 0 if result.value >= 1000 else 1 if result.value >= 20 else 2
    return f"{result.value:,.{digits}f} ({result.count:,})"


def _ratio(by_speaker: Mapping[str, Result], first: str) -> str:
    own, other = by_speaker.get(first), by_speaker.get(REFERENCE)
    if own is None or other is None or first == REFERENCE or not own.value or not other.value:
        return "-"
    ratio = own.value / other.value if own.more_is_better else other.value / own.value
    return f"{ratio:.1f}x"


def write_json(path: Path, results: Results, versions: Mapping[str, str], failures: Sequence[str]) -> None:
    """Write every run, so that medians can be made again."""
    document = {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "versions": dict(versions),
        "failures": list(failures),
        "runs": [
            {
                "speaker": speaker,
                "work": result.name,
                "value": result.value,
                "unit": result.unit,
                "count": result.count,
                "details": result.details,
            }
            for speaker, runs in results.items()
            for result in runs
        ],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")

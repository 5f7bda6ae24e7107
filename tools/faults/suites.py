"""The scorecard's figures that are tests: run them, and count what passed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.shared import ROOT
from tools.faults.rows import Options, Row

SUITES = {
    "all hostile helpers at the same time": ["tests/faults/test_hostile_helpers.py"],
    "peers: windows, texts, floods, garbage": ["tests/faults/test_hostile_peers.py"],
    "bus: octets, types, epochs, numbers, taps": ["tests/faults/test_hostile_bus.py"],
    "journal: every cut, 1,000 flipped bits": ["tests/unit/test_ribd_journal.py"],
    "a disk that is full": ["tests/faults/test_full_disk.py"],
    "durability: reboot, clean end, default": ["tests/system/test_durability.py"],
    "privileges, modes, passwords": ["tests/system/test_security.py"],
    "findings of the fuzzer": ["tests/unit/test_fuzz_findings.py"],
}


def suites(_directory: Path, _options: Options) -> Iterator[Row]:
    """Run each suite by itself."""
    for name, files in SUITES.items():
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        verdict = re.search(r"(\d+ \w+.*) in ([\d.]+)s", done.stdout)
        text = f"{verdict[1]} in {verdict[2]} s" if verdict else "no verdict"
        yield name, text + (" WRONG" if done.returncode else "")

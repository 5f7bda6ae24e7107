"""Find the material that lies beside the project (vectors, conformance cases, real BGP data)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(path: str) -> Path:
    """Return ../shared/PATH; skip where it is missing, except under CI, where that is a failure."""
    found = ROOT.parent / "shared" / path
    if found.exists():
        return found
    message = f"{found} is missing: this test needs the material beside the project"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)

"""What tests of several files begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.rib_bench import Daemon


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """Give ribd with one neighbor, `a`; files that want others have a fixture of their own."""
    daemon = Daemon(tmp_path, monkeypatch)
    daemon.enrol(["a"])
    yield daemon
    daemon.close()

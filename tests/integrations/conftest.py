"""One daemon with every helper of examples/ that other programs drive, and BIRD as its peer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.bed import Integrations
from tests.interop.conftest import require
from tests.routers.bird import Bird

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `system`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def bed() -> Iterator[Integrations]:
    """Start everything once; the directory has a short name, for UNIX sockets."""
    require(Bird)
    directory = Path(tempfile.mkdtemp(prefix="bi", dir="/tmp"))
    bed = Integrations(directory)
    try:
        bed.start()
        yield bed
    finally:
        bed.stop()
        shutil.rmtree(directory, ignore_errors=True)

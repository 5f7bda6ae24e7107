"""Fixtures: short directories under /tmp, routers that must be installed, labs that are always stopped."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.lab import Lab, Place
from tests.routers.process import MissingProgram
from tests.routers.router import Router

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `interop`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.interop)


def require(router: type[Router]) -> str:
    """Return the router's name and version; without it skip, but fail under CI, which must have every router."""
    try:
        return router.version()
    except MissingProgram as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{router.NAME}: {missing}")
        pytest.skip(f"{router.NAME}: {missing}")


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """Make short directories under /tmp (unix sockets are limited to 107 characters); $BGPBUS_KEEP keeps them."""
    root = Path(tempfile.mkdtemp(prefix="bb", dir="/tmp"))
    made: list[Path] = []

    def make() -> Path:
        path = root / str(len(made))
        path.mkdir()
        made.append(path)
        return path

    yield make
    if not os.environ.get("BGPBUS_KEEP"):
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Callable[[Lab], Lab]]:
    """Start labs that are stopped when the test ends."""
    started: list[Lab] = []

    def run(lab: Lab) -> Lab:
        require(type(lab.router))
        started.append(lab)
        return lab.start()

    yield run
    for lab in started:
        lab.stop()

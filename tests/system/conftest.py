"""Fixtures: a short directory, daemons and peers that are always stopped."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.routers.process import free_port
from tests.system.bed import Daemon, Helper
from tests.system.peer import Peer

HERE = Path(__file__).parent
_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `system`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.system)


@pytest.fixture
def directory() -> Iterator[Path]:
    """Make a short directory: UNIX sockets' names are limited to 107 octets. $BGPBUS_KEEP keeps it."""
    path = Path(tempfile.mkdtemp(prefix="bs", dir="/tmp"))
    yield path
    if not os.environ.get("BGPBUS_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_peer() -> Iterator[Callable[..., Peer]]:
    """Make peers, each on an address of its own, that listen at once."""
    made: list[Peer] = []

    def make(listen: bool = True, **settings: object) -> Peer:
        high, low = divmod(next(_numbers), 200)
        peer = Peer(f"127.0.{9 + high}.{50 + low}", free_port(), **settings)  # type: ignore[arg-type]
        made.append(peer)
        return peer.listen() if listen else peer

    yield make
    for peer in made:
        peer.stop()


@pytest.fixture
def make_helper(directory: Path) -> Iterator[Callable[[str], Helper]]:
    """Make helpers by name."""
    made: list[Helper] = []

    def make(name: str) -> Helper:
        made.append(Helper(directory, name))
        return made[-1]

    yield make
    for helper in made:
        helper.close()


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[..., Daemon]]:
    """Start daemons from configuration text."""
    started: list[Daemon] = []

    def run(configuration: str, begin: bool = True, **environment: str) -> Daemon:
        daemon = Daemon(directory, configuration, environment)
        started.append(daemon)
        return daemon.start() if begin else daemon

    yield run
    for daemon in started:
        daemon.clean_up()

"""A full disk refuses new commands, and costs no session and no route; room is found without anybody's doing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.full_disk import AFTER, BEFORE, HOLD_TIME, REFUSED, FullDisk, watch
from tests.root import needs_root
from tests.routers.process import free_port
from tests.system.peer import Peer

pytestmark = [pytest.mark.system, needs_root]


@pytest.fixture(scope="module")
def seen() -> Iterator[FullDisk]:
    peer = Peer("127.24.2.1", free_port(), hold_time=HOLD_TIME).listen()
    with tempfile.TemporaryDirectory(prefix="bd", dir="/tmp") as directory:
        yield watch(Path(directory), peer)
    peer.stop()


def test_commands_are_answered_with_error_while_the_disk_is_full(seen: FullDisk) -> None:
    assert seen.answers_while_full == ["error"] * len(REFUSED) * 2


def test_the_session_with_a_hold_time_of_three_seconds_and_its_routes_stay(seen: FullDisk) -> None:
    assert (seen.sessions, seen.session_ended) == (1, False)
    assert seen.table_while_full == len(BEFORE)


def test_ribd_starts_on_a_full_disk(seen: FullDisk) -> None:
    assert seen.ribd_came_back


def test_commands_are_carried_out_again_as_soon_as_there_is_room(seen: FullDisk) -> None:
    assert seen.answers_of_the_same_afterwards == ["done"] * len(REFUSED)
    assert seen.table_in_the_end == len(BEFORE) + len(REFUSED) + len(AFTER)


def test_the_log_says_it_once_for_each_life_of_ribd(seen: FullDisk) -> None:
    assert seen.complaints == 2

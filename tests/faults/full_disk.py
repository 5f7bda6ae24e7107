"""A daemon whose run directory is a file system that becomes full, and has room again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from tests.routers.process import PATIENCE, wait_for
from tests.system.bed import Daemon, Helper, announce, neighbor, route
from tests.system.peer import Peer

SIZE = "6m"
HOLD_TIME = 3
BEFORE, REFUSED, AFTER = range(1000), range(1000, 1500), range(1500, 2500)


class FullDisk(Struct, frozen=True):
    """What was seen of it."""

    answers_while_full: list[str]
    answers_of_the_same_afterwards: list[str]
    table_while_full: int
    table_in_the_end: int
    sessions: int  # that came up
    session_ended: bool
    complaints: int  # lines of ribd in the log that say it
    ribd_came_back: bool  # killed while the disk was full
    seconds_to_room: float  # from there being room until a command was answered `done`


@contextmanager
def small_file_system(path: Path) -> Iterator[None]:
    """Mount a file system of a few MiB; needs root."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=750", "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def fill(path: Path) -> None:
    """Write a file until nothing more fits."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        for size in (65536, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


def watch(directory: Path, peer: Peer) -> FullDisk:
    """Announce, fill, announce, kill ribd, make room, announce."""
    helper = Helper(directory, "flow")
    daemon = Daemon(directory, helper.configuration() + neighbor(peer, "hold-time 3; api { processes [ flow ]; }"))
    ballast = daemon.run.path / "ballast"

    def say(numbers: range) -> list[str]:
        helper.say("".join(map(announce, numbers)))
        return helper.answers(len(numbers))

    with small_file_system(daemon.run.path):
        try:
            daemon.start()
            peer.established()
            say(BEFORE)
            peer.has(set(map(route, BEFORE)))
            fill(ballast)
            while_full = say(REFUSED)
            former = daemon.kill("ribd")
            daemon.restarted("ribd", former)
            time.sleep(HOLD_TIME + 1)
            while_full += say(REFUSED)
            table = len(peer.session.table)
            ballast.unlink()
            began = time.monotonic()
            wait_for(lambda: say(range(1)) == ["done"], PATIENCE, "a command to be carried out", interval=0.05)
            seconds = time.monotonic() - began
            afterwards = say(REFUSED)
            say(AFTER)
            peer.has(set(map(route, [*BEFORE, *REFUSED, *AFTER])))
            up = sum(session.established is not None for session in peer.sessions)
            ended = peer.session.ended is not None
            complaints = daemon.log.read_text().count(" ribd ERROR journal cannot be written")
            return FullDisk(
                while_full,
                afterwards,
                table,
                len(peer.session.table),
                up,
                ended,
                complaints,
                daemon.programs().get("ribd", former) != former,
                seconds,
            )
        finally:
            daemon.clean_up()
            helper.close()

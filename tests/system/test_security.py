"""What the processes may do, what others may read of them, and where a password is not to be found."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.routers.process import descendants, free_port, wait_for
from tests.shared import ROOT
from tests.system.bed import Daemon, Helper, announce, neighbor
from tests.system.peer import Peer

USER = "nobody"
PASSWORD = "correct-horse-battery"

PYTHONS = (sys.executable, "/opt/bgpv/bin/python", "/usr/bin/python3")  # one that the user may run is needed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def _python_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    for python in PYTHONS:
        words = [python, "-c", "import apid, click, msgpack, supervisor, zmq"]
        with suppress(OSError):
            if (
                subprocess.run(
                    words, user=USER, group=pwd.getpwnam(USER).pw_gid, cwd=ROOT, capture_output=True, check=False
                ).returncode
                == 0
            ):
                monkeypatch.setattr(sys, "executable", python)
                return
    pytest.skip(f"{USER} can run none of {', '.join(PYTHONS)} with what bgpbus needs")


@pytest.fixture
def daemon(
    _python_for_everybody: None,
    start: Callable[..., Daemon],
    make_peer: Callable[..., Peer],
    make_helper: Callable[[str], Helper],
    directory: Path,
) -> Daemon:
    """Start as root, to become another user: with a listener, a session, a neighbor with a password, and a helper."""
    peer, helper = make_peer(), make_helper("once")
    for path in (directory, helper.directory, helper.directory / "commands"):
        path.chmod(0o777)  # the helper is somebody else
    (directory / "run").mkdir()
    signed = (
        f"neighbor 127.0.9.199 {{ router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as 65002;"
        f' passive; listen {free_port()}; md5-password "{PASSWORD}"; family {{ ipv4 unicast; }} }}\n'
    )
    text = helper.configuration() + neighbor(peer, "api { processes [ once ]; }") + signed
    running = start(text, exabgp_daemon_user=USER)
    peer.established()
    helper.say(announce(1))
    assert helper.answers(1) == ["done"]
    for word in ("status", "show neighbor summary", "helpers"):
        running.ask(*word.split())
    return running


def processes(daemon: Daemon) -> dict[int, list[str]]:
    """Return the command line of every process of a daemon."""
    assert daemon.process is not None
    found = {}
    for pid in descendants(daemon.process.pid):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if words != [""]:
            found[pid] = words
    return found


def field(pid: int, name: str) -> list[str]:
    """Return a line of /proc/PID/status, in words."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(f"{name}:"))


def tcp_inodes() -> set[str]:
    """Return the inodes of all TCP sockets of this machine."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[9] for row in rows}


def sockets(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def test_started_as_root_it_gives_up_what_it_does_not_need_and_shows_nobody_its_secrets(
    daemon: Daemon,
) -> None:
    user, running = pwd.getpwnam(USER), processes(daemon)
    helper = next(pid for pid, words in running.items() if words[1].endswith("helper.py"))
    assert len(running) >= 8

    for pid in running:
        assert set(field(pid, "Uid")) == {str(user.pw_uid)}, running[pid]
        assert set(field(pid, "Gid")) == {str(user.pw_gid)}, running[pid]
        assert field(pid, "Groups") == [], running[pid]
    assert int(field(helper, "CapEff")[0], 16) == int(field(helper, "CapAmb")[0], 16) == 0

    tcp = tcp_inodes()
    speaking = [words for pid, words in running.items() if sockets(pid) & tcp]
    assert speaking
    assert all("peerd" in words or "peerd.listener" in words for words in speaking), speaking

    run = daemon.run.path
    assert stat.S_IMODE(run.stat().st_mode) == 0o750
    for path in run.rglob("*"):
        mode = path.stat().st_mode
        if stat.S_ISSOCK(mode):
            assert stat.S_IMODE(mode) in (0o660, 0o700), path  # 0700 is supervisord's
        elif stat.S_ISREG(mode) and PASSWORD.encode() in path.read_bytes():
            assert stat.S_IMODE(mode) == 0o600, path
    assert any(PASSWORD.encode() in path.read_bytes() for path in daemon.run.settings.iterdir())

    assert PASSWORD not in daemon.log.read_text()
    assert PASSWORD not in (run / "supervisord.log").read_text()
    for pid, words in running.items():
        assert PASSWORD not in " ".join(words)
        assert PASSWORD.encode() not in Path(f"/proc/{pid}/environ").read_bytes(), words
        assert PASSWORD not in Path(f"/proc/{pid}/comm").read_text()

    assert daemon.stop() == 0
    wait_for(lambda: not (run / "settings").exists() or None, 5, "the settings to go")
    assert not [path for path in run.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]

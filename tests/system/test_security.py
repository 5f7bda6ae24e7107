"""What the processes may do, what others may read of them, and where a password is not to be found."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from tests.root import needs_root
from tests.routers.process import PATIENCE, descendants, free_port, wait_for
from tests.shared import ROOT
from tests.system.bed import Daemon, Helper, announce, neighbor
from tests.system.peer import Peer

USER = "nobody"
PASSWORD = "correct-horse-battery"

DEBIAN = "/usr/bin/python3"  # which everybody may run, while a venv may lie in somebody's closed home
NEEDED = ("click", "msgpack", "msgspec", "supervisor", "zmq", "pyzmq.libs")

pytestmark = needs_root


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch, directory: Path) -> str:
    """Have a Python that the user may run: ours, or Debian's with copies of what ours has; return its PYTHONPATH."""
    if _runs(sys.executable, str(ROOT)):
        return str(ROOT)
    copies = directory / "packages"
    directory.chmod(0o755)
    installed = Path(zmq.__file__).parent.parent
    for path in [path for name in NEEDED for path in installed.glob(f"{name}*")]:
        shutil.copytree(path, copies / path.name)
    monkeypatch.setattr(sys, "executable", DEBIAN)
    path = f"{ROOT}:{copies}"
    if not _runs(DEBIAN, path):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{USER} can run no Python with what bgpbus needs")
    return path


def _runs(python: str, path: str) -> bool:
    """Whether the user can run bgpbus with this Python."""
    words = [python, "-c", "import apid, click, msgpack, msgspec, supervisor, zmq"]
    group, environment = pwd.getpwnam(USER).pw_gid, {**os.environ, "PYTHONPATH": path}
    try:
        done = subprocess.run(words, user=USER, group=group, env=environment, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


@pytest.fixture
def daemon(
    packages: str,
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
    running = start(text, exabgp_daemon_user=USER, PYTHONPATH=packages)
    peer.established()
    helper.say(announce(1))
    assert helper.answers(1) == ["done"]
    for word in ("status", "show neighbor summary", "helpers"):
        running.ask(*word.split())
    return running


def test_an_environment_file_of_root_alone_is_in_force_for_all(
    packages: str, start: Callable[..., Daemon], make_peer: Callable[..., Peer], directory: Path
) -> None:
    directory.chmod(0o755)
    (directory / "run").mkdir()
    file, peer = directory / "env", make_peer()
    file.write_text("[exabgp.log]\nlevel = DEBUG\n[exabgp.daemon]\nuser = nobody\n")
    file.chmod(0o600)
    daemon = start(neighbor(peer), begin=False, EXABGP_ENVFILE=str(file), PYTHONPATH=packages)
    del daemon.environment["exabgp_daemon_user"]
    daemon.start()
    peer.established()
    assert peer.address in daemon.ask("show", "neighbor", "summary")
    daemon.ask("reload")
    assert "running as user=nobody" in daemon.log.read_text()
    assert stat.S_IMODE(daemon.run.env_file.stat().st_mode) == 0o640
    assert daemon.stop() == 0
    assert not daemon.run.env_file.exists()


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
    wait_for(lambda: not (run / "settings").exists() or None, PATIENCE, "the settings to go")
    assert not [path for path in run.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]

"""What `bgpbus run` does as root before it becomes somebody else, in a directory that may be that user's already."""

from __future__ import annotations

import logging
import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from apid import prepare
from apid.load import LoadError
from bus.daemon import LOG_LEVEL, WORKING_DIRECTORY, RunDirectory, take_lock


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    made = tmp_path / "secret"
    made.mkdir(mode=0o700)
    (made / "file").write_text("secret")
    return made


def chowned(run: RunDirectory, monkeypatch: pytest.MonkeyPatch, files: list[Path]) -> set[str]:
    """Return the real paths of everything whose owner would change."""
    touched: set[str] = set()

    def chown(path: Path, _user: int, _group: int, *, follow_symlinks: bool = True) -> None:
        touched.add(os.path.realpath(path) if follow_symlinks else str(path))

    became: list[Any] = []
    monkeypatch.setattr(prepare, "find_user", lambda _name: pwd.getpwuid(os.getuid()))
    monkeypatch.setattr(prepare, "can_run_us", lambda _user: True)
    monkeypatch.setattr(prepare, "become", became.append)
    monkeypatch.setattr(prepare.os, "chown", chown)
    options = SimpleNamespace(environment=SimpleNamespace(daemon=SimpleNamespace(user="nobody", drop=True)))
    prepare.drop_privileges(options, run, logging.getLogger("test"), files)  # type: ignore[arg-type]
    assert len(became) == 1
    return touched


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_link_in_the_run_directory_gives_nobody_another_file(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch, on_disk: bool
) -> None:
    run, log = RunDirectory(tmp_path / "run"), tmp_path / "log"
    run.path.mkdir()
    run.keep_state(tmp_path / "disk" if on_disk else None)
    for link in (run.settings / "x", run.journal / "y", log):
        link.symlink_to(secret / "file")
    (run.path / "directory").symlink_to(secret)
    touched = chowned(run, monkeypatch, [log])
    assert not [path for path in touched if path.startswith(str(secret))]
    assert {str(run.path), str(run.settings), str(run.state.resolve()), str(run.state.resolve() / "journal")} <= touched


def test_nobody_gets_a_device_that_the_log_goes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, log = RunDirectory(tmp_path / "run"), tmp_path / "log"
    run.create()
    log.touch()
    touched = chowned(run, monkeypatch, [Path(os.devnull), log])
    assert os.devnull not in touched
    assert str(log) in touched


def test_no_mode_is_changed_behind_a_link(tmp_path: Path, secret: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    run.settings.symlink_to(secret)
    with pytest.raises(OSError, match="settings"):
        run.create()
    assert secret.stat().st_mode & 0o777 == 0o700


def test_no_lock_empties_a_file_behind_a_link(tmp_path: Path, secret: Path) -> None:
    lock = tmp_path / "run.lock"
    lock.symlink_to(secret / "file")
    with pytest.raises(OSError, match=r"run\.lock"):
        take_lock(lock)
    assert (secret / "file").read_text() == "secret"


@pytest.mark.parametrize("name", ["applied", "pending", "attempted-1"])
def test_a_damaged_file_of_the_state_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    run = RunDirectory(tmp_path / "run")
    run.create()
    prepare.check_state(run)
    (run.state / name).write_bytes(b"\x93\x01")
    with pytest.raises(LoadError, match=f"{run.state}/{name} is damaged: .* may be removed"):
        prepare.check_state(run)


@pytest.mark.parametrize("step", ["open_destination", "drop_privileges", "write_supervisord", "read_live", "leave"])
def test_a_start_that_fails_leaves_no_file_with_its_process_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError("disk full")

    configuration, file = tmp_path / "conf", tmp_path / "pid"
    configuration.write_text("process p { run /bin/cat; encoder text; }")
    own = logging.Logger("own")
    own.addHandler(logging.NullHandler())
    monkeypatch.setattr(prepare, "start_logging", lambda _name: own)
    monkeypatch.setenv("exabgp_daemon_pid", str(file))
    for variable in (LOG_LEVEL, WORKING_DIRECTORY, "EXABGP_ENVFILE"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setattr(prepare, "drop_privileges", lambda *_arguments: None)
    monkeypatch.setattr(prepare, step, fail)
    locks: list[int] = []
    monkeypatch.setattr(prepare, "take_lock", lambda path: locks.append(take_lock(path)) or locks[-1])
    with pytest.raises(OSError, match="disk full"):
        prepare.prepare([str(configuration)], RunDirectory(tmp_path / "run"), None)
    assert not file.exists()
    os.close(locks.pop())


def check_port(endpoint: tuple[str, int]) -> None:
    listener = SimpleNamespace(listener={"endpoints": [endpoint]})
    prepare.check_ports(SimpleNamespace(compiled=SimpleNamespace(listener=listener)))  # type: ignore[arg-type]


@contextmanager
def taken() -> Iterator[int]:
    """Have a port of IPv4 taken by somebody else."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(1)
        yield sock.getsockname()[1]


def test_a_port_that_somebody_has_is_told_before_the_start() -> None:
    with taken() as port, pytest.raises(LoadError, match=f"127.0.0.1 port {port}: Address already in use"):
        check_port(("127.0.0.1", port))


def test_a_port_of_ipv6_is_free_where_somebody_has_that_of_ipv4() -> None:
    with taken() as port:
        check_port(("::", port))

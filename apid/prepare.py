"""Before a start: check everything, take the run directory, become who we shall be, and leave what the daemons read."""

from __future__ import annotations

import errno
import logging
import os
import socket
import stat
import sys
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from apid.amend import restore
from apid.control.enforce import attempts, read_applied, read_identities
from apid.control.leaving import leave
from apid.daemonize import PidFile
from apid.live import read_live
from apid.load import Former, Loaded, LoadError, read_configuration, read_env_file, under_names
from apid.log_destination import File, Handler, Log, open_destination
from apid.privileges import become, can_run_us, find_user, may_execute
from apid.programs import check_directory, write_supervisord
from bus.daemon import (
    LOG_LEVEL,
    RUN_DIRECTORY_MODE,
    WORKING_DIRECTORY,
    AlreadyRunning,
    RunDirectory,
    start_logging,
    take_lock,
)
from bus.schema import SchemaError

ENV_FILE_MODE = 0o640


def check_ports(loaded: Loaded) -> None:
    """Raise LoadError where an address to listen on cannot be had."""
    listener = loaded.compiled.listener
    for address, port in listener.listener["endpoints"] if listener is not None else []:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # the listener leaves the port of IPv4 to others, too
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                sock.bind((address, port))
                sock.listen(1)
            except OSError as error:
                denied = error.errno == errno.EACCES
                hint = " (set exabgp.tcp.port to a port above 1023, or run as root)" if denied else ""
                raise LoadError(f"cannot listen on {address} port {port}: {error.strerror}{hint}") from error


def check_helpers(loaded: Loaded) -> None:
    """Raise LoadError where the user that helpers run as does not exist, or may not run one of them."""
    user = find_user(daemon_user(loaded))
    for name, settings in loaded.compiled.helpers.items() if user is not None else ():
        program = settings.helper["run"][0]
        if user is not None and not may_execute(user, program):
            raise LoadError(
                f"process {name}: {program} cannot be executed by the user '{user.pw_name}' that helpers run as: "
                "let that user read it, or set exabgp.daemon.user (exabgp_daemon_user=root keeps root)"
            )


def daemon_user(loaded: Loaded) -> str:
    """Return whom to run as, where we are root."""
    options = loaded.environment.daemon
    return options.user if options.drop else ""


def state_on_disk(loaded: Loaded) -> Path | None:
    """Return where routes are kept that shall survive the host; None where they shall not."""
    daemon = loaded.environment.daemon
    return Path(daemon.state) if daemon.durability == "disk" else None


def check_state(run: RunDirectory) -> None:
    """Raise LoadError where it cannot be read which configuration is in force, or was on its way there.

    We do not put the file aside by ourselves: routes that are in it alone would stay announced without a word.
    """
    for path in (run.applied, run.pending, *attempts(run)):
        try:
            read_applied(path)
        except SchemaError as error:
            raise LoadError(
                f"{path} is damaged: {error}. It may be removed, with {run.lineage}, so that all configured routes are "
                "announced again; those that only it knows then stay announced until a command withdraws them"
            ) from error


def drop_privileges(loaded: Loaded, run: RunDirectory, log: logging.Logger, files: list[Path]) -> None:
    """Become the configured user, who gets the run directory and these files, but no device that the log goes to."""
    user = find_user(daemon_user(loaded))
    if user is None:
        return
    if not can_run_us(user):
        log.warning(
            "the daemons stay root, only helpers run as %s: that user cannot read %s or its packages",
            user.pw_name,
            sys.executable,
        )
        return
    files = [path for path in files if stat.S_ISREG(path.lstat().st_mode)]
    for directory in (run.path.resolve(), run.state.resolve()):
        files = [*files, directory, *directory.rglob("*")]
    for path in files:
        # The directory may be that user's since an earlier start: no link in it makes another file its own.
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    become(user)
    log.info("running as user=%s", user.pw_name)


def keep_env_file(run: RunDirectory, text: str) -> None:
    """Have the daemons read the ini file as it is now: it may be root's alone, and they are somebody else."""
    run.env_file.unlink(missing_ok=True)
    run.env_file.touch(mode=ENV_FILE_MODE)
    run.env_file.write_text(text)
    os.environ["EXABGP_ENVFILE"] = str(run.env_file)


class Prepared(Struct, frozen=True):
    """All that a start needs. `lock` is held while we live."""

    loaded: Loaded
    lock: int
    log: logging.Logger
    output: Log
    pid_file: PidFile | None


def take_pid_file(path: str) -> PidFile | None:
    """Write our process id where the environment says, if it does; LoadError where another process has the file."""
    try:
        return PidFile(Path(path)) if path else None
    except (AlreadyRunning, OSError) as error:
        raise LoadError(f"exabgp.daemon.pid: {error}") from error


def prepare(paths: list[str], run_dir: RunDirectory, log_level: str | None) -> Prepared:
    """Check everything and take the run directory.

    LoadError, PrivilegeError, AlreadyRunning and OSError say what is wrong; nothing was started then.
    """
    loaded = read_configuration(paths)
    ini = read_env_file(os.environ)[1]
    options = loaded.environment
    check_directory(run_dir, loaded.compiled.programs)
    check_helpers(loaded)
    run_dir.path.mkdir(mode=RUN_DIRECTORY_MODE, parents=True, exist_ok=True)
    lock = take_lock(run_dir.lock("run"))
    run_dir.keep_state(state_on_disk(loaded))
    check_state(run_dir)
    former = Former(read_identities(run_dir))
    loaded = under_names(loaded, former)
    check_ports(loaded)
    with ExitStack() as undo:
        pid_file = take_pid_file(options.daemon.pid)
        if pid_file is not None:
            undo.callback(pid_file.remove)
        destination = open_destination(options.log.destination)
        output = Log(options.log, destination)
        os.environ[LOG_LEVEL] = log_level or options.log.level  # for everything that we start
        os.environ[WORKING_DIRECTORY] = os.getcwd()
        log = start_logging("bgpbus")
        log.handlers = [Handler(output.write, log.handlers[0].formatter)]
        files = [pid_file.path] if pid_file is not None else []
        drop_privileges(loaded, run_dir, log, [*files, *([destination.path] if isinstance(destination, File) else [])])
        for warning in loaded.warnings:
            log.warning("%s", warning)
        keep_env_file(run_dir, ini)
        write_supervisord(run_dir, paths)
        wanted, problems = restore(loaded.compiled, read_live(run_dir.live).kept(), former)
        for problem in problems:
            log.error("%s", problem)
        leave(run_dir, wanted)
        undo.pop_all()
    return Prepared(loaded, lock, log, output, pid_file)

"""The run directory's files and supervisor's programs: what control writes for the other processes."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Collection
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import Any
from xml.parsers.expat import ExpatError
from xmlrpc.client import ProtocolError, ResponseError, ServerProxy, Transport

from apid.compile import Compiled, helper_program
from apid.load import LoadError
from bus.daemon import RunDirectory
from bus.schema import Message, pack
from bus.settings import write_settings

SHIPPED_RUN_DIRECTORY = "/run/bgpbus"
SHIPPED_PYTHON = "%(here)s/.venv/bin/python"
SHIPPED_CONFIGURATION = "/etc/bgpbus/bgpbus.conf"
SOCKET_PATH_LIMIT = 107  # octets of a UNIX socket's path (<sys/un.h>)
SOCKET_SUFFIX = ".accept"  # the longest that a program's name gets
FIXED_SOCKET = "supervisor.sock"
STOP_SECONDS = 30  # NOTIFICATIONs of a large shard must fit
UNTOLD = re.compile(r"""[\s'"\\*?\[\ud800-\udfff]""")  # ends a word, quotes, or stands for other names there

PROGRAM = """\
[program:{name}]
command = {command}
directory = {directory}
priority = {priority}
autorestart = true
startsecs = 1
startretries = 1000000
stopwaitsecs = {stop}
{log}
stdout_logfile = NONE
"""
SHIPPED_LOG = """\
stderr_logfile = /run/bgpbus/%(program_name)s.log
stderr_logfile_maxbytes = 1MB
stderr_logfile_backups = 1"""
OUR_LOG = """\
stderr_logfile = /dev/fd/2
stderr_logfile_maxbytes = 0"""  # supervisord's stderr, which `bgpbus run` reads


def supervisord_template() -> Path:
    """Return the shipped supervisord.conf: beside the packages in a checkout, inside `apid` in a wheel."""
    here = Path(__file__).resolve().parent
    inside = here / "supervisord.conf"
    return inside if inside.exists() else here.parent / "supervisord.conf"


def check_directory(run: RunDirectory, programs: list[str]) -> None:
    """Raise LoadError where supervisord cannot be told of this directory, or sockets in it had names too long."""
    if (found := UNTOLD.search(str(run.path))) is not None:
        raise LoadError(
            f"the run directory '{run.path}' has {found[0]!r} in it, which supervisord's files cannot express"
        )
    longest = max(len(FIXED_SOCKET), *(len(name + SOCKET_SUFFIX) for name in programs), 0)
    room = SOCKET_PATH_LIMIT - longest - 1
    if len(os.fsencode(run.path)) > room:
        raise LoadError(f"the run directory {run.path} is too long for socket names: at most {room} octets")


def project_directory() -> Path:
    """Return the directory in which `python -m ribd` finds its package first, and nothing that somebody planted."""
    return Path(__file__).resolve().parent.parent


def write_supervisord(run: RunDirectory, sources: list[str]) -> None:
    """Write the run directory's own copy of supervisord.conf; supervisorctl takes it too."""
    ours = {
        SHIPPED_LOG: OUR_LOG,
        SHIPPED_CONFIGURATION: _quote(sources),
        SHIPPED_PYTHON: _quote([sys.executable]),
        SHIPPED_RUN_DIRECTORY: _escape(str(run.path)),
        "%(here)s": _escape(str(project_directory())),
    }
    # All at once: the name of a configuration may hold what stands for another path.
    shipped = re.compile("|".join(map(re.escape, ours)))
    supervisord_file(run).write_text(shipped.sub(lambda found: ours[found[0]], supervisord_template().read_text()))


def _quote(words: list[str]) -> str:
    """Join words to a command. Supervisor takes " ;" and " #" for comments, even in quotes: these end in between."""
    return _escape(re.sub(r"(\s)([;#])", r"\1''\2", shlex.join(words)))


def _escape(text: str) -> str:
    """Keep supervisor from expanding a percent sign."""
    return text.replace("%", "%%")


def program_text(run: RunDirectory, name: str) -> str:
    """Return the supervisor section of a program."""
    if name == "listener":
        words, priority = ["-m", "peerd.listener", str(run.path)], 50
    elif name.startswith("helper-"):
        words, priority = ["-m", "apid", "helper", str(run.path), name], 60
    else:
        words, priority = ["-m", "peerd", str(run.path), name], 5  # the first OPEN is what users wait for
    return PROGRAM.format(
        name=name,
        command=_quote([sys.executable, *words]),
        directory=_escape(str(project_directory())),
        priority=priority,
        stop=STOP_SECONDS,
        log=_log(run),
    )


def _log(run: RunDirectory) -> str:
    """Return where a program logs: where `bgpbus run` reads, or, under a bare supervisord, in a file."""
    if supervisord_file(run).exists():
        return OUR_LOG
    return SHIPPED_LOG.replace(SHIPPED_RUN_DIRECTORY, _escape(str(run.path)))


def supervisord_file(run: RunDirectory) -> Path:
    """Return the copy of supervisord.conf that `bgpbus run` makes and removes."""
    return run.path / "supervisord.conf"


def write_files(run: RunDirectory, compiled: Compiled, settings: Path, programs: Path) -> None:
    """Write to these directories the settings and programs that are not in place yet."""
    wanted: dict[str, Message] = {**compiled.peerds}
    wanted |= {helper_program(name): value for name, value in compiled.helpers.items()}
    if compiled.listener is not None:
        wanted["listener"] = compiled.listener
    for name, value in wanted.items():
        if not _holds(run.settings / name, pack(value)):
            write_settings(settings / name, value)
        file, text = f"{name}.conf", program_text(run, name)
        if not _holds(run.programs / file, text.encode()):
            (programs / file).write_text(text)


def _holds(path: Path, octets: bytes) -> bool:
    try:
        return path.read_bytes() == octets
    except FileNotFoundError:
        return False


def remove_others(run: RunDirectory, programs: Collection[str]) -> None:
    """Remove the files of all other programs."""
    for path in [*run.settings.iterdir(), *run.programs.iterdir()]:
        if re.sub(r"\.conf$", "", path.name) not in programs:
            path.unlink(missing_ok=True)


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket(AF_UNIX, SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(self._path)


class _UnixTransport(Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> HTTPConnection:
        """Connect to the UNIX socket, whatever the host."""
        return _UnixConnection(self._path)

    def request(self, host: Any, handler: str, request_body: Any, verbose: bool = False) -> Any:
        """Ask. OSError also where the answer cannot be read, as of one that dies in the middle of it."""
        try:
            return super().request(host, handler, request_body, verbose)
        except (HTTPException, ProtocolError, ResponseError, ExpatError) as error:
            raise OSError(f"supervisord's answer cannot be read: {error}") from error


class Supervisor:
    """supervisord's XML-RPC interface, as far as we need it. OSError where it is away, Fault where it refuses."""

    def __init__(self, run: RunDirectory) -> None:
        self._proxy = ServerProxy("http://localhost", transport=_UnixTransport(str(run.path / "supervisor.sock")))
        self.rpc: Any = self._proxy.supervisor

    def processes(self) -> list[dict[str, Any]]:
        """Return name, state and pid of every program."""
        return list(self.rpc.getAllProcessInfo())

    def stop_all(self) -> None:
        """Ask every program to stop, all at the same time."""
        self.rpc.stopAllProcesses(False)

    def shutdown(self) -> None:
        """End supervisord."""
        self.rpc.shutdown()


def is_alive(pid: int) -> bool:
    """Whether a program's process is there and no zombie: supervisord itself notices an exit up to a second later."""
    if not pid:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"

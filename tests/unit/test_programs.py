"""What supervisord is told: commands and directories as they are, whatever their names."""

from __future__ import annotations

import io
import shlex
from pathlib import Path
from xmlrpc.client import Fault, dumps

import pytest
from supervisor.options import ServerOptions

from apid import programs
from apid.load import LoadError
from apid.programs import Supervisor, check_directory, supervisord_file, write_supervisord
from bus.daemon import RunDirectory


@pytest.mark.parametrize(
    "name", ["plain", "a b", "a ;b", "a #b", " ;", "a\t#b", "a'b ;c", 'a"b #c', "a%b", "%(x)s", "run/bgpbus", "ü"]
)
def test_supervisord_reads_the_command_that_was_meant(tmp_path: Path, name: str) -> None:
    run = RunDirectory(tmp_path / "run")
    run.create()
    (run.programs / "other.conf").write_text("[program:other]\ncommand = /bin/cat\n")
    write_supervisord(run, [f"/{name}/conf", name])
    options = ServerOptions()
    options.realize(["-c", str(supervisord_file(run))])
    commands = {group.name: group.process_configs[0].command for group in options.process_group_configs}
    assert commands.keys() == {"broker", "ribd", "control", "other"}
    assert shlex.split(commands["control"])[-3:] == [str(run.path), f"/{name}/conf", name]


@pytest.mark.parametrize("name", ["a b", "a ;b", "a'b", 'a"b', "a\\b", "a[b]", "a*", "a\nb", "a\udcff"])
def test_a_run_directory_that_supervisord_cannot_be_told_of_is_refused(name: str) -> None:
    with pytest.raises(LoadError, match="which supervisord's files cannot express"):
        check_directory(RunDirectory(Path("/run") / name), [])


@pytest.mark.parametrize("name", ["plain", "a%b", "a#b", "a;b", "ü", "a-b_c.d"])
def test_any_other_run_directory_is_good(name: str) -> None:
    check_directory(RunDirectory(Path("/run") / name), [])


class Answering:
    """A socket at whose other end somebody says the same whatever is asked."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def sendall(self, octets: bytes) -> None:
        """Take a question."""

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._octets)

    def close(self) -> None:
        """End."""


def answered(monkeypatch: pytest.MonkeyPatch, octets: bytes) -> Supervisor:
    """Return a supervisord that answers with these octets."""
    monkeypatch.setattr(programs._UnixConnection, "connect", lambda self: setattr(self, "sock", Answering(octets)))
    return Supervisor(RunDirectory(Path("/nowhere")))


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
UNREADABLE = {
    "an error of HTTP": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": b"rubbish\r\n",
    "nothing": b"",
    "a part of an answer": GOOD % (200, b"<?xml version='1.0'?><methodResponse><params>"),
    "an answer without a value": GOOD % (33, b"<methodResponse></methodResponse>"),
}


@pytest.mark.parametrize("octets", UNREADABLE.values(), ids=UNREADABLE)
def test_a_supervisord_whose_answer_cannot_be_read_is_away(monkeypatch: pytest.MonkeyPatch, octets: bytes) -> None:
    with pytest.raises(OSError):
        answered(monkeypatch, octets).processes()


def test_a_refusal_of_supervisord_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = dumps(Fault(70, "NOT_RUNNING")).encode()
    with pytest.raises(Fault, match="NOT_RUNNING"):
        answered(monkeypatch, GOOD % (len(text), text)).processes()

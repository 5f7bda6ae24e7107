"""What supervisord is told: commands and directories as they are, whatever their names."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from apid.load import LoadError
from apid.programs import check_directory, supervisord_file, write_supervisord
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

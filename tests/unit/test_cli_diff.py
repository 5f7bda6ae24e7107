"""`bgpbus diff`: what a reload would change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from apid.amend import create, shut
from apid.cli import diff as cli_diff
from apid.cli.errors import Failed, Refused
from apid.cli.main import main
from apid.control.commands import carry_out
from apid.control.enforce import put_in_place
from apid.control.leaving import leave
from apid.control.section import section
from apid.live import Live, Shut, Wanted
from bus.daemon import RunDirectory
from tests.unit.control_stage import CONFIGURATION, Stage, compiled, leave_pending


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run directory with the sample in force, and control asked without a socket."""
    stage = Stage(tmp_path / "run")
    leave_pending(stage.run, stage.compiled.applied)
    put_in_place(stage.run, "")

    def ask(_run: object, line: str, take: Callable[[list[str]], None]) -> None:
        lines, error = stage.play(carry_out(stage.context, "", line))
        if error:
            raise Refused(error)
        take(lines)

    monkeypatch.setattr(cli_diff, "ask", ask)
    return tmp_path


def diff(directory: Path, text: str, *options: str) -> Result:
    path = directory / "new.conf"
    path.write_text(text)
    return CliRunner().invoke(main, ["--run-dir", str(directory / "run"), "diff", str(path), *options])


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


@pytest.fixture(autouse=True)
def _same_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apid.load.SOFTWARE_VERSION", "bgpbus/0")
    for name in ("exabgp.tcp.port", "exabgp_tcp_port"):
        monkeypatch.delenv(name, raising=False)


def test_the_same_configuration_changes_nothing(directory: Path) -> None:
    assert lines(diff(directory, CONFIGURATION)) == ["nothing would change"]
    assert lines(diff(directory, CONFIGURATION, "--json")) == []


def test_a_file_that_may_have_been_cut_off_is_an_error(directory: Path) -> None:
    cut = CONFIGURATION[: CONFIGURATION.index("neighbor 127.0.0.13")].rstrip("}\n")
    result = diff(directory, cut)
    assert result.exit_code == 2
    assert "the section 'neighbor 127.0.0.12' has no closing '}'" in result.output
    assert "a start takes it with a warning" in result.output


def test_routes_are_listed_with_their_neighbor(directory: Path) -> None:
    text = CONFIGURATION.replace("10.2.1.0/24 next-hop 192.0.2.9;", "10.2.2.0/24 next-hop self med 7;")
    assert lines(diff(directory, text)) == [
        "- route 127.0.0.13 ipv4 unicast 10.2.1.0/24",
        "+ route 127.0.0.13 ipv4 unicast 10.2.2.0/24 next-hop self origin igp med 7",
    ]
    assert lines(diff(directory, text, "--summary")) == ["- route 127.0.0.13 1 route", "+ route 127.0.0.13 1 route"]


def test_neighbors_and_processes_are_compared(directory: Path) -> None:
    text = (
        CONFIGURATION.replace("127.0.0.13", "127.0.0.14")
        .replace("hold-time 30", 'hold-time 60; md5-password "secret"')
        .replace("/bin/cat", "/bin/echo")
    )
    shown = lines(diff(directory, text, "--summary"))
    assert shown[:2] == ["- neighbor 127.0.0.13", "+ neighbor 127.0.0.14"]
    assert shown[2].startswith("~ neighbor 127.0.0.12 ")
    assert "hold-time 30 → 60 (the session begins anew)" in shown[2]
    assert "md5-password" in shown[2]
    assert "secret" not in shown[2]
    assert "~ process p run" in shown


def test_what_changes_under_a_session_does_not_end_it(directory: Path) -> None:
    text = CONFIGURATION.replace("next-hop 192.0.2.9 watchdog dog withdraw", "next-hop 192.0.2.9 med 5 watchdog dog")
    text = text.replace("api { processes [ p ];", "api { processes [ p ]; neighbor-changes;")
    assert diff(directory, text, "--summary").stdout.count("~ route 127.0.0.12 1 route") == 1
    shown = lines(diff(directory, text))
    assert "~ route 127.0.0.12 ipv4 unicast 10.3.0.0/24 next-hop 192.0.2.9 origin igp med 5" in shown
    assert not any("begins anew" in line for line in shown)


def test_json_has_one_object_on_each_line(directory: Path) -> None:
    text = CONFIGURATION.replace("127.0.0.13", "127.0.0.14")
    first = json.loads(lines(diff(directory, text, "--json"))[0])
    assert first == {"change": "removed", "kind": "neighbor", "name": "127.0.0.13", "text": ""}


def test_a_wrong_file_fails_with_its_place(directory: Path) -> None:
    result = diff(directory, "nonsense {")
    assert result.exit_code == 2
    assert "new.conf:1:" in result.stderr


def test_a_daemon_that_does_not_answer_is_no_wrong_configuration(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object) -> None:
        raise Failed("bgpbus does not answer")

    monkeypatch.setattr(cli_diff, "ask", ask)
    assert diff(directory, CONFIGURATION).exit_code == 1


def test_files_are_named_by_their_whole_path(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(cli_diff, "ask", lambda _run, line, _take: asked.append(line))
    monkeypatch.chdir(directory)
    CliRunner().invoke(main, ["diff", "new.conf", "--summary"])
    assert asked == [f'diff {{"files": ["{directory}/new.conf"], "summary": true}}']


def test_what_commands_keep_is_no_change_and_what_they_do_not_is_one(directory: Path) -> None:
    run = RunDirectory(directory / "run")
    words = ["router-id", "10.0.0.1", "local-address", "127.0.0.11", "local-as", "65001", "peer-as", "65004"]
    wanted = Wanted(compiled(), Live())
    for name, keep in (("127.0.0.14", True), ("127.0.0.15", False)):
        wanted = create(wanted, section(name, words, ""), keep)
    leave(run, shut(wanted, ["127.0.0.12"], Shut("noon", True)))
    put_in_place(run, "")
    assert lines(diff(directory, CONFIGURATION)) == ["- neighbor 127.0.0.15"]


@pytest.mark.parametrize("options", [[], ["--summary"]])
def test_another_form_of_a_route_that_stands_by_one_of_several_lines_is_a_change(
    directory: Path, options: list[str]
) -> None:
    line = "route 10.3.0.0/24 next-hop 192.0.2.9 watchdog dog withdraw;"
    several = CONFIGURATION.replace(line, f"{line} {line.replace('watchdog dog', 'med 7 watchdog cat')}")
    leave_pending(RunDirectory(directory / "run"), compiled(several).applied)
    put_in_place(RunDirectory(directory / "run"), "")
    (shown,) = lines(diff(directory, several.replace("med 7", "med 8"), *options))
    assert shown.startswith("~ route 127.0.0.12 ")
    assert shown.endswith("1 route" if options else "10.3.0.0/24 next-hop 192.0.2.9 origin igp med 8")


def test_a_route_that_a_watchdog_controlled_is_listed(directory: Path) -> None:
    text = CONFIGURATION.replace("route 10.3.0.0/24 next-hop 192.0.2.9 watchdog dog withdraw;", "")
    assert lines(diff(directory, text)) == ["- route 127.0.0.12 ipv4 unicast 10.3.0.0/24"]

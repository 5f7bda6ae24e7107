"""The `bgpbus` command: dispatch, help, exit codes, and the commands that need no daemon."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from apid.__main__ import main as apid_main
from apid.cli import control as cli_control
from apid.cli import run as cli_run
from apid.cli import status as cli_status
from apid.cli.errors import Failed
from apid.cli.lines import joined
from apid.cli.main import COMMANDS, main
from apid.cli.table import table
from apid.cli.tap import event_line
from bus import daemon
from bus.daemon import LOG_LEVEL
from bus.schema import Event
from tests.unit.control_stage import CONFIGURATION


def bgpbus(*arguments: str, text: str | None = None, run_dir: Path | None = None, **variables: str) -> Result:
    """Run the command as from a shell."""
    directory = ["--run-dir", str(run_dir)] if run_dir is not None else []
    return CliRunner().invoke(main, [*directory, *arguments], input=text, env=variables, prog_name="bgpbus")


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    path = tmp_path / "bgpbus.conf"
    path.write_text(CONFIGURATION)
    return str(path)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = bgpbus(name, "--help")
    assert result.exit_code == 0, result.output
    assert f"bgpbus {name}" in result.output.replace(f"Usage: bgpbus {name}", "")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_no_line_of_help_is_wider_than_a_terminal(name: str) -> None:
    lines = bgpbus(*name.split(), "--help", COLUMNS="80").output.splitlines()
    assert [line for line in lines if len(line) > 80] == []


def test_the_help_of_the_health_check_begins_with_a_command_line() -> None:
    described, _, _ = bgpbus("healthcheck", "--help").output.partition("What is checked")
    assert "\n    bgpbus healthcheck --tcp " in described


def test_help_lists_every_command() -> None:
    result = bgpbus("--help")
    assert all(f"  {name} " in result.output for name in COMMANDS)


@pytest.mark.parametrize("arguments", [("frobnicate",), ("show",), ("validate",), ("completion", "tcsh"), ("clear",)])
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert bgpbus(*arguments).exit_code == 2


def test_the_name_of_a_file_stands_for_run(configuration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(cli_run, "run_in_foreground", lambda *arguments: ran.append(arguments) or 0)
    assert bgpbus(configuration, "-v").exit_code == 0
    assert bgpbus("server", configuration, configuration).exit_code == 0
    assert [(files, level) for files, _, level, _ in ran] == [([configuration], "DEBUG"), ([configuration] * 2, None)]


@pytest.mark.parametrize(
    "before", [("-d", "-p"), ("-dp",), ("--debug",), ("--env-file", "/dev/null", "-v"), ("-v", "-1")]
)
def test_options_of_run_may_stand_before_the_name_of_a_file(
    configuration: str, monkeypatch: pytest.MonkeyPatch, before: tuple[str, ...]
) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(cli_run, "run_in_foreground", lambda *arguments: ran.append(arguments) or 0)
    assert bgpbus(*before, configuration).exit_code == 0
    assert [(files, level) for files, _, level, _ in ran] == [([configuration], "DEBUG")]


def test_the_environment_may_be_named_behind_run(configuration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(cli_run, "run_in_foreground", lambda *_: 0)
    assert bgpbus("server", "--env-file", "/dev/null", configuration).exit_code == 0
    assert os.environ["EXABGP_ENVFILE"] == "/dev/null"


def test_run_with_two_dashes_before_a_command_is_left_out() -> None:
    assert bgpbus("--run", "version").output == bgpbus("version").output


def test_an_option_that_nobody_has_is_exit_code_2() -> None:
    assert bgpbus("--frobnicate", "version").exit_code == 2


def test_a_level_of_the_log_may_have_any_case_and_must_be_one(
    configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[str | None] = []
    monkeypatch.setattr(
        cli_run, "run_in_foreground", lambda _files, _directory, level, _reload: levels.append(level) or 0
    )
    assert bgpbus("run", "--log-level", "debug", configuration).exit_code == 0
    assert levels == ["DEBUG"]
    refused = bgpbus("run", "--log-level", "loud", configuration)
    assert refused.exit_code == 2
    assert "'loud' is not one of" in refused.stderr


@pytest.mark.parametrize(("wanted", "level"), [("debug", "DEBUG"), ("loud", "ERROR"), ("", "ERROR")])
def test_a_daemon_logs_at_the_level_of_the_variable_where_that_is_one(
    monkeypatch: pytest.MonkeyPatch, wanted: str, level: str
) -> None:
    monkeypatch.setenv(LOG_LEVEL, wanted)
    logger = logging.Logger("own")
    with monkeypatch.context() as patched:
        patched.setattr(logging, "getLogger", lambda _name: logger)
        patched.setattr(daemon, "_DroppingHandler", logging.NullHandler)
        daemon.start_logging("ribd", "ERROR")
    assert logging.getLevelName(logger.level) == level


def test_the_environment_file_may_be_an_option(
    configuration: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / "env").write_text("[exabgp.tcp]\nport = 1790\n")
    for option in ("--env-file", "--env"):
        shown = bgpbus(option, str(tmp_path / "env"), "env", "-d")
        assert shown.output == "\n[exabgp.tcp]\nport = 1790\n"
    assert bgpbus("env", "-d", "--env-file", str(tmp_path / "env")).output == shown.output
    missing = bgpbus("--env-file", str(tmp_path / "none"), "env")
    assert missing.exit_code == 2
    assert f"the environment file {tmp_path}/none cannot be read" in missing.stderr


def test_a_reload_may_be_asked_for_beforehand_and_a_profile_may_not(
    configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: list[int | None] = []
    monkeypatch.setattr(cli_run, "run_in_foreground", lambda *arguments: seconds.append(arguments[3]) or 0)
    assert bgpbus("run", "-s", "30", configuration).exit_code == 0
    assert bgpbus("run", configuration).exit_code == 0
    assert seconds == [30, None]
    assert bgpbus("run", "-s", "0", configuration).exit_code == 2
    refused = bgpbus("run", "--profile", "file", configuration)
    assert refused.exit_code == 2
    assert "attach a profiler" in refused.stderr


def test_options_of_run_become_the_environment(configuration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str | None] = {}

    def note(*_: object) -> int:
        seen.update({name: os.environ.get(name) for name in ("exabgp.tcp.attempts", "exabgp.bgp.passive")})
        return 1

    monkeypatch.setattr(cli_run, "run_in_foreground", note)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    assert bgpbus("run", "-1", "-P", configuration).exit_code == 1
    assert seen == {"exabgp.tcp.attempts": "1", "exabgp.bgp.passive": "true"}


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["show", "adj", "out", "e"], "show adj-rib out extensive"),
        (["show", "n e"], "show neighbor extensive"),
        (["show", "a", "o", "--json"], "show adj-rib out json"),
        (["announce", "r", "10.0.0.0/8 next-hop self"], "announce route 10.0.0.0/8 next-hop self"),
        (["withdraw", "w", "dog"], "withdraw watchdog dog"),
        (["neighbor", "192.0.2.1", "s", "n", "s"], "neighbor 192.0.2.1 show neighbor summary"),
        (["peer", "192.0.2.1", "shut", "at  noon"], 'peer 192.0.2.1 shutdown "at  noon"'),
        (["flush", "a", "o", "192.0.2.1"], "neighbor 192.0.2.1 flush adj-rib out"),
        (["clear", "a", "i"], "clear adj-rib in"),
        (["cli", "s n", "c"], "show neighbor configuration"),
        (["an", "r", "10.0.0.0/8 next-hop self"], "announce route 10.0.0.0/8 next-hop self"),
    ],
)
def test_words_are_asked_for_in_full(monkeypatch: pytest.MonkeyPatch, arguments: list[str], asked: str) -> None:
    lines: list[str] = []
    monkeypatch.setattr(cli_control, "ask", lambda _run, line, _take: lines.append(line))
    result = bgpbus(*arguments)
    assert (result.exit_code, lines) == (0, [asked]), result.output


@pytest.mark.parametrize("command", [["status"], ["reload"], ["show", "neighbor"], ["cli", "version"], ["tap"]])
def test_without_a_daemon_there_is_one_clear_message(command: list[str], tmp_path: Path) -> None:
    result = bgpbus(*command, run_dir=tmp_path)
    assert result.exit_code == 1
    assert f"bgpbus is not running in {tmp_path}" in result.stderr
    assert result.stdout == ""


def test_validate_counts_what_it_found(configuration: str) -> None:
    result = bgpbus("validate", configuration)
    assert (result.exit_code, result.stdout) == (0, f"{configuration}: valid, 2 neighbors, 1 process, 3 routes\n")
    assert json.loads(bgpbus("validate", "--json", configuration).stdout) == {
        "valid": True, "neighbors": 2, "processes": 1, "routes": 3, "warnings": [], "errors": [],
    }  # fmt: skip


def test_validate_prints_neighbors_and_routes(configuration: str) -> None:
    result = bgpbus("validate", "-n", "-r", "-v", configuration)
    assert result.exit_code == 0
    assert "✓ neighbor 127.0.0.13" in result.stdout
    assert "127.0.0.12 ipv4 unicast 10.2.1.0/24 next-hop 192.0.2.9 origin igp med 50" in result.stdout
    assert '"announce": { "ipv4 unicast": { "192.0.2.9": [ { "nlri": "10.2.1.0/24"' in result.stdout


def test_validate_finds_a_route_that_no_session_can_carry(tmp_path: Path) -> None:
    path = tmp_path / "bad.conf"
    path.write_text(CONFIGURATION.replace("10.2.1.0/24 next-hop 192.0.2.9;", "10.2.1.0/24 next-hop 2001:db8::1;"))
    result = bgpbus("validate", "-r", str(path))
    if result.exit_code == 1:
        assert "127.0.0.13: ipv4 unicast 10.2.1.0/24" in result.stderr
    else:  # found when it was read
        assert result.exit_code == 2


def test_a_wrong_configuration_is_exit_code_2_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.conf"
    path.write_text("neighbour 1.2.3.4 { }\n")
    result = bgpbus("validate", str(path))
    assert result.exit_code == 2
    assert f"{path}:1:1: " in result.stderr
    as_json = bgpbus("validate", "--json", str(path))
    answer = json.loads(as_json.stdout)
    assert answer["valid"] is False
    assert [(error["file"], error["line"], error["column"]) for error in answer["errors"]] == [(str(path), 1, 1)]
    assert as_json.exit_code == 2


def test_a_folder_whose_name_is_not_utf_8_is_an_error_with_its_name(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    program = folder / "helper"
    program.write_text("#!/bin/sh\n")
    path = folder / "bgpbus.conf"
    for mode, message in (
        (0o755, "the name of a file or folder cannot be told to others"),
        (0o644, "caf\\udce9/helper"),
    ):
        path.write_text(CONFIGURATION + "process other { run ./helper; encoder json; }")
        program.chmod(mode)
        result = bgpbus("validate", str(path))
        assert result.exit_code == 2
        assert message in result.output


def test_a_text_for_a_peer_travels_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr("apid.cli.control.ask", lambda _run, line, _take: lines.append(line))
    assert bgpbus("peer", "192.0.2.1", "shutdown", "🎉", 'say "ä"').exit_code == 0
    assert lines == ['peer 192.0.2.1 shutdown "🎉" "say \\"ä\\""']


def test_validate_reads_standard_input() -> None:
    result = bgpbus("validate", "-", text=CONFIGURATION, PATH="/bin:/usr/bin")
    assert result.exit_code == 0, result.output


def test_what_encode_prints_decode_reads() -> None:
    encoded = bgpbus("encode", "route 10.0.0.0/24 next-hop 192.0.2.1 med 10 community [ 65000:1 ]")
    assert encoded.exit_code == 0
    event = json.loads(bgpbus("decode", text=encoded.stdout).stdout)
    update = event["neighbor"]["message"]["update"]
    assert update["attribute"]["med"] == 10
    assert update["announce"] == {"ipv4 unicast": {"192.0.2.1": [{"nlri": "10.0.0.0/24"}]}}


def test_encode_has_the_forms_of_release_6() -> None:
    whole = bgpbus("encode", "route 10.0.0.0/24 next-hop 192.0.2.1").stdout.strip()
    assert bgpbus("encode", "--no-header", "route 10.0.0.0/24 next-hop 192.0.2.1").stdout.strip() == whole[38:]
    assert bgpbus("encode", "-n", "route 10.0.0.0/24 next-hop self").stdout == "180A0000\n"
    assert (
        bgpbus("encode", "-n", "-i", "route 10.0.0.0/24 next-hop self path-information 7").stdout
        == "00000007180A0000\n"
    )
    assert bgpbus("encode", "withdraw", "route", "10.0.0.0/24").stdout.strip().endswith("0004180A00000000")
    assert "4002040201FDE8" in bgpbus("encode", "--two-octet-as", "route 10.0.0.0/24 next-hop self").stdout


def test_an_ibgp_route_has_a_local_preference() -> None:
    encoded = bgpbus("encode", "-a", "65000", "-z", "65000", "route 10.0.0.0/24 next-hop 192.0.2.1").stdout
    assert "40050400000064" in encoded


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("encode", "route", "foo"), 2, "'foo' is not an IP prefix"),
        (("encode", "show neighbor"), 2, ""),
        (("encode", "announce eor"), 2, "a route is expected"),
        (("encode", "--local-address", "here", "route 10.0.0.0/8 next-hop self"), 2, "'here' is not an IP address"),
        (("decode", "xyz"), 1, "invalid payload"),
        (("decode", "FFFF"), 1, "invalid payload"),
        (("decode", "-n", "-f", "ipv4 nonsense", "18"), 2, "nonsense"),
    ],
)
def test_what_cannot_be_coded_is_said(arguments: tuple[str, ...], code: int, message: str) -> None:
    result = bgpbus(*arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_decode_reads_routes_of_a_family() -> None:
    assert bgpbus("decode", "-n", "18:0A 00:00").stdout == '{ "nlri": "10.0.0.0/24" }\n'
    assert "2001:db8::/32" in bgpbus("decode", "-n", "-f", "ipv6 unicast", "2020010DB8").stdout


def test_decode_has_the_text_and_the_other_layout() -> None:
    octets = bgpbus("encode", "route 10.0.0.0/24 next-hop 192.0.2.1").stdout.strip()
    assert "announced 10.0.0.0/24 next-hop 192.0.2.1" in bgpbus("decode", "--text", octets).stdout
    event = json.loads(bgpbus("decode", "--by-prefix", octets).stdout)
    routes = event["neighbor"]["message"]["update"]["announce"]["ipv4 unicast"]
    assert routes == {"10.0.0.0/24": [{"next-hop": "192.0.2.1"}]}


def test_env_shows_what_is_set() -> None:
    assert bgpbus("env", "-d", **{"exabgp.tcp.port": "1179"}).stdout == "\n[exabgp.tcp]\nport = 1179\n"
    assert bgpbus("env", "-d", "-e", exabgp_tcp_port="1179").stdout == "exabgp.tcp.port=1179\n"
    assert "port = 179" in bgpbus("env").stdout
    wrong = bgpbus("env", exabgp_tcp_port="x")
    assert wrong.exit_code == 2
    assert "exabgp_tcp_port" in wrong.stderr


def test_version_is_readable_by_people_and_programs() -> None:
    assert bgpbus("version").stdout.startswith("bgpbus     : ")
    assert json.loads(bgpbus("version", "--json").stdout)["ExaBGP API"] == "5.0.0"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_for_our_command(shell: str) -> None:
    assert "_BGPBUS_COMPLETE" in bgpbus("completion", shell).stdout


def completions(shell: str, line: str) -> list[str]:
    """Return what a shell is told of a line whose last word is to be completed."""
    words = line.split(" ")
    variables = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    if shell == "fish":
        variables = {"COMP_WORDS": line, "COMP_CWORD": words[-1]}
    told = bgpbus(_BGPBUS_COMPLETE=f"{shell}_complete", **variables).stdout.split()
    if shell == "zsh":
        return told[1::3]
    return [line.split(",")[1].split("\t")[0] for line in told]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bgpbus show ", ["adj-rib", "configuration", "extensive", "neighbor", "summary"]),
        ("bgpbus s n 192.0.2.1 s", ["summary"]),
        ("bgpbus announce rou", ["route", "route-refresh"]),
        ("bgpbus withdraw e", ["evpn"]),
        ("bgpbus neighbor 192.0.2.1 t", ["teardown"]),
        ("bgpbus peer ", ["create", "delete", "list", "show"]),
        ("bgpbus flush adj-rib ", ["out"]),
        ("bgpbus clear adj-rib ", ["in", "out"]),
        ("bgpbus rib ", ["clear", "flush", "show"]),
        ("bgpbus session ack e", ["enable", "explain"]),
        ("bgpbus system ap", ["api"]),
        ("bgpbus cli show adj-rib out e", ["extensive"]),
        ("bgpbus se", ["session"]),
        ("bgpbus announce route ", []),
    ],
)
def test_shells_complete_the_words_of_commands(shell: str, line: str, words: list[str]) -> None:
    assert completions(shell, line) == words


def test_an_event_is_one_line_with_octets_as_digits() -> None:
    event = Event("ribd", "e", 3, 1.5, "update/n", {"messages": [b"\x01\xff"], "count": 1, "deep": {"octets": b""}})
    assert json.loads(event_line(event))["data"] == {"messages": ["01ff"], "count": 1, "deep": {"octets": ""}}
    assert "\n" not in event_line(event)


def test_a_table_aligns_its_columns() -> None:
    assert table(["name", "n"], [["a", "10"], ["longer", "2"]]) == ["name    n", "a       10", "longer  2"]


def test_a_terminal_cuts_the_widest_column_but_never_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    address = "2001:db8:1234:5678:9abc:def0:1234:567"
    rows = [[f"{address}{last}", "4200000000", "established", "102 days, 10:01:01", "7", "12"] for last in "89"]
    lines = table(["neighbor", "AS", "state", "up for", "in", "out"], rows)
    assert lines[1] == f"{address}8  4200000000  established  102 d…  7   12"
    assert lines[2].startswith(f"{address}9 ")
    assert max(map(len, lines)) <= 80


DAEMONS = [("bus", 1), ("peerd", 2), ("peerd.listener", 1), ("ribd", 1)]


@pytest.mark.parametrize(("module", "count"), DAEMONS)
def test_a_daemon_without_its_words_says_which_and_ends_with_status_2(module: str, count: int) -> None:
    for given in ([], ["x"] * (count + 1)):
        done = subprocess.run([sys.executable, "-m", module, *given], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("usage: ")
        assert "RUN_DIRECTORY" in done.stderr
        assert " ".join(given) in done.stderr
    asked = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True)
    assert "RUN_DIRECTORY" in asked.stdout


@pytest.mark.parametrize("arguments", [[], ["control", "/run"], ["helper", "/run"], ["other"]])
def test_apid_without_its_words_is_wrong_usage(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["apid", *arguments])
    with pytest.raises(SystemExit) as ended:
        apid_main()
    assert ended.value.code == 2


def test_a_group_on_standard_input_travels_as_one_line() -> None:
    lines = [
        "version\n",
        "group start\n",
        "# why\n",
        "announce a\n",
        " withdraw b \n",
        "group end\n",
        "\n",
        "group end\n",
    ]
    assert list(joined(lines)) == ["version", "peer * group announce a ; withdraw b", "", "group end"]
    with pytest.raises(Failed, match="'group end' is missing"):
        list(joined(["group start\n", "announce a\n"]))


def test_an_empty_group_on_standard_input_is_nothing() -> None:
    assert list(joined(["group start\n", "# nothing\n", "group end\n", "version\n"])) == ["version"]


def test_decode_reads_octets_of_a_peer_with_two_octet_as_numbers() -> None:
    route = "route 192.0.2.0/24 next-hop 198.51.100.1"
    octets = bgpbus("encode", "--two-octet-as", "-a", "70000", route).stdout
    event = json.loads(bgpbus("decode", "--two-octet-as", "-z", "65002", octets).stdout)
    path = event["neighbor"]["message"]["update"]["attribute"]["as-path"]
    assert path == {"0": {"element": "as-sequence", "value": [70000]}}
    assert event["neighbor"]["asn"] == {"local": 65533, "peer": 65002}


def test_decode_reads_octets_as_each_session_of_a_configuration_would(tmp_path: Path) -> None:
    path = tmp_path / "speaker.conf"
    path.write_text(
        "".join(
            f"neighbor {peer} {{ router-id 10.0.0.9; local-address 10.0.0.1; local-as 65010; peer-as 65020;"
            f" family {{ ipv4 unicast; }} capability {{ asn4 disable; add-path {add_path}; }} }}\n"
            for peer, add_path in (("10.0.0.2", "receive"), ("10.0.0.3", "receive"))
        )
    )
    octets = "00000014 40010100 4002060202 0001 0002 400304C0000201 00000005 180A0102"
    events = [json.loads(line) for line in bgpbus("decode", "-c", str(path), octets).stdout.splitlines()]
    assert [event["neighbor"]["address"]["peer"] for event in events] == ["10.0.0.2", "10.0.0.3"]
    assert events[0]["neighbor"]["asn"] == {"local": 65010, "peer": 65020}
    announced = events[0]["neighbor"]["message"]["update"]["announce"]
    assert announced == {"ipv4 unicast": {"192.0.2.1": [{"nlri": "10.1.2.0/24", "path-information": "0.0.0.5"}]}}
    assert "cannot be read" in bgpbus("decode", "-c", str(tmp_path / "none"), octets).stderr


@pytest.mark.parametrize(
    ("state", "life"),
    [({"pid": 7, "uptime": 61.5}, "0:01:01"), ({"pid": 0, "starts_in": 2.6}, "again in 3 s"), ({"pid": 0}, "ended")],
)
def test_a_helper_that_does_not_run_says_whether_it_will(state: dict[str, Any], life: str) -> None:
    counts = {"pid": 0, "uptime": 0, "starts": 1, "commands": 2, "errors": 3, "memory": 0, "spool": 0, "lost": 0}
    assert cli_status._row("p", {**counts, **state})[2] == life

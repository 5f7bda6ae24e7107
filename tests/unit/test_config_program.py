"""Programs of `run`: where they are looked up, and which are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apid.config.program import ProgramError, resolve


def program(path: Path, mode: int = 0o755) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return str(path)


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = program(tmp_path / "helper")
    assert resolve(path, "/", {"PATH": ""}) == path


@pytest.mark.parametrize("name", ["helper", "./helper", "run/helper", "./run/../helper"])
def test_a_name_is_looked_up_below_the_directory_of_the_configuration(tmp_path: Path, name: str) -> None:
    program(tmp_path / "helper")
    program(tmp_path / "run" / "helper")
    assert resolve(name, str(tmp_path), {"PATH": "/nowhere"}) == os.path.normpath(tmp_path / name)


def test_the_path_wins_over_the_directory_and_its_first_entry_over_the_others(tmp_path: Path) -> None:
    program(tmp_path / "conf" / "helper")
    program(tmp_path / "two" / "helper")
    first = program(tmp_path / "one" / "helper")
    variables = {"PATH": f"{tmp_path}/one:{tmp_path}/two"}
    assert resolve("helper", str(tmp_path / "conf"), variables) == first


def test_a_file_that_cannot_be_run_does_not_hide_one_that_can(tmp_path: Path) -> None:
    program(tmp_path / "one" / "helper", 0o644)
    second = program(tmp_path / "conf" / "helper")
    assert resolve("helper", str(tmp_path / "conf"), {"PATH": f"{tmp_path}/one"}) == second


def test_etc_exabgp_is_mapped_to_the_configured_directory(tmp_path: Path) -> None:
    path = program(tmp_path / "run" / "helper")
    assert resolve("etc/exabgp/run/helper", "/", {"EXABGP_ETC": str(tmp_path)}) == path


def test_etc_exabgp_is_looked_up_below_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = program(tmp_path / "etc" / "exabgp" / "helper-of-this-test")
    assert resolve("etc/exabgp/helper-of-this-test", "/", {}) == path


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (0o644, "is not executable"),
        (0o4755, "is set-uid: it could do more than we may"),
        (0o2755, "is set-gid: it could do more than we may"),
    ],
)
def test_a_program_of_these_modes_is_refused(tmp_path: Path, mode: int, reason: str) -> None:
    path = program(tmp_path / "helper", mode)
    with pytest.raises(ProgramError) as caught:
        resolve(path, "/", {})
    assert str(caught.value) == f"{path} {reason}" or str(caught.value) == f"the program {path} {reason}"


def test_a_missing_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="does not exist"):
        resolve(str(tmp_path / "none"), "/", {})
    with pytest.raises(ProgramError, match="is in none of /one, /conf, /etc/exabgp"):
        resolve("none-such-program", "/conf", {"PATH": "/one"})


def test_a_directory_and_a_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="is a directory"):
        resolve(str(tmp_path), "/", {})
    with pytest.raises(ProgramError, match="is not a regular file"):
        resolve("/dev/null", "/", {})

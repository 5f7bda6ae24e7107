"""Several files, files inside files, standard input, and what templates do to each other."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from apid.config.errors import ConfigurationErrors
from apid.config.load import load
from apid.load import NOTHING, LoadError, read_again
from tests.unit.config_dump import compiled, dump, neighbor


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def errors_of_files(*names: str) -> list[str]:
    with pytest.raises(ConfigurationErrors) as caught:
        load(names, {"PATH": "/bin"})
    return [f"{Path(error.file).name}:{error.line}: {error.message}" for error in caught.value.errors]


def test_several_files_are_merged(tmp_path: Path) -> None:
    one = write(tmp_path / "one.conf", neighbor("", "127.0.0.2"))
    two = write(tmp_path / "two.conf", neighbor("", "127.0.0.3"))
    configuration = load([one, two], {})
    assert [item.name for item in configuration.neighbors] == ["127.0.0.2", "127.0.0.3"]
    assert configuration.sources == (one, two)


def test_a_neighbor_of_two_files_is_an_error_that_names_both_places(tmp_path: Path) -> None:
    one = write(tmp_path / "one.conf", "\n" + neighbor(""))
    two = write(tmp_path / "two.conf", neighbor(""))
    message = f"the neighbor 127.0.0.2 is defined twice, here and in {one}:2"
    assert errors_of_files(one, two) == [f"two.conf:1: {message}"]


def test_one_process_may_be_defined_alike_in_two_files_but_not_differently(tmp_path: Path) -> None:
    one = write(tmp_path / "one.conf", "process a { run /bin/cat; }\n" + neighbor("", "127.0.0.2"))
    two = write(tmp_path / "two.conf", "\nprocess a { run /bin/cat; }\n" + neighbor("", "127.0.0.3"))
    assert len(load([one, two], {}).processes) == 1
    write(tmp_path / "two.conf", "process a { run /bin/sh; }")
    assert errors_of_files(one, two) == [f"two.conf:1: the process 'a' is defined otherwise in {one}:1"]


def test_templates_belong_to_their_file(tmp_path: Path) -> None:
    one = write(tmp_path / "one.conf", "template { neighbor a { } }")
    two = write(tmp_path / "two.conf", neighbor("inherit a;"))
    assert errors_of_files(one, two) == ["two.conf:2: unknown template 'a': the file defines none"]


def test_the_errors_of_all_files_are_reported(tmp_path: Path) -> None:
    one = write(tmp_path / "one.conf", "foo;")
    missing = str(tmp_path / "missing.conf")
    two = write(tmp_path / "two.conf", "bar;")
    lines = errors_of_files(one, missing, two)
    assert [line.partition(": ")[0] for line in lines] == ["missing.conf:0", "one.conf:1", "two.conf:1"]
    assert lines[0] == "missing.conf:0: the file cannot be read: No such file or directory"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_an_octet_that_is_not_utf_8_is_an_error_at_its_place(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "latin-1.conf"
    path.write_bytes(mark + "# größer\nneighbor ".encode() + b"caf\xe9 {\n")
    with pytest.raises(ConfigurationErrors) as caught:
        load([str(path)], {})
    assert str(caught.value).splitlines() == [
        f"{path}:2:13: the file is not UTF-8: it has an octet 0xe9 here",
        "    neighbor caf\N{REPLACEMENT CHARACTER} {",
        "                ^",
    ]


def test_an_included_file_that_is_not_utf_8_is_an_error_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "part.conf").write_bytes(b"\n\xe9")
    main = write(tmp_path / "main.conf", 'include "part.conf";\n' + neighbor("hold-time 1;"))
    assert errors_of_files(main) == [
        "main.conf:3: 1 is neither 0 nor in the range 3 to 65535",
        "part.conf:2: the file is not UTF-8: it has an octet 0xe9 here",
    ]


def test_what_two_files_define_is_shown_with_its_line(tmp_path: Path) -> None:
    process = "process a { run /bin/cat; }"
    one = write(tmp_path / "one.conf", process + neighbor(""))
    two = write(tmp_path / "two.conf", "  " + process.replace("cat", "sh") + "\n  " + neighbor(""))
    with pytest.raises(ConfigurationErrors) as caught:
        load([one, two], {"PATH": "/bin"})
    first, second = caught.value.errors
    assert [(error.line, error.column) for error in (first, second)] == [(1, 3), (2, 12)]
    assert str(first).endswith("\n      process a { run /bin/sh; }\n      ^")
    assert second.source_line.startswith("  neighbor 127.0.0.2 {")


def test_a_file_that_cannot_be_read_leaves_no_descriptor(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        errors_of_files(str(tmp_path))
    assert os.listdir("/proc/self/fd") == before


def test_what_would_keep_its_reader_waiting_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    including = write(tmp_path / "one.conf", 'include "fifo";')
    reason = "it is no regular file ('-' stands for standard input)"
    assert errors_of_files(str(tmp_path / "fifo"), including) == [
        f"fifo:0: the file cannot be read: {reason}",
        f"one.conf:1: the file {tmp_path}/fifo cannot be read: {reason}",
    ]


@pytest.mark.parametrize(
    ("damage", "place", "message"),
    [
        (lambda text: text.rstrip("}\n"), (1, 20), "the section 'neighbor 127.0.0.2' has no closing '}'"),
        (lambda text: f"{text}}}", (4, 1), "'}' closes nothing: there is no open '{'"),
    ],
)
def test_a_file_whose_braces_do_not_match_is_taken_with_a_warning_unless_it_must_be_whole(
    tmp_path: Path, damage: Callable[[str], str], place: tuple[int, int], message: str
) -> None:
    path = write(tmp_path / "cut.conf", damage(neighbor("")))
    (warning,) = load([path], {}).warnings
    assert (warning.line, warning.column, warning.message, warning.hint) == (*place, message, "")
    with pytest.raises(ConfigurationErrors) as caught:
        load([path], {}, whole=True)
    (error,) = caught.value.errors
    assert (error.line, error.column, error.message) == (*place, message)
    assert error.source_line
    assert "a start takes it with a warning" in error.hint


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n"])
def test_a_file_without_a_statement_is_an_error(tmp_path: Path, text: str) -> None:
    empty = write(tmp_path / "empty.conf", text)
    assert errors_of_files(empty) == ["empty.conf:0: the file holds no configuration"]


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "mark.conf"
    path.write_bytes(b"\xef\xbb\xbf" + neighbor("").encode())
    assert len(load([str(path)], {}).neighbors) == 1


def test_an_include_is_relative_to_its_file_and_may_be_nested(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts" / "a.conf", 'hold-time 30; include "b.conf";')
    write(tmp_path / "parts" / "b.conf", "passive;")
    main = write(tmp_path / "main.conf", neighbor('include "parts/a.conf";'))
    (found,) = load([main], {}).neighbors
    assert (found.hold_time, found.passive) == (30, True)


def test_an_error_of_an_included_file_is_reported_there(tmp_path: Path) -> None:
    write(tmp_path / "part.conf", "\n\thold-time 1;")
    main = write(tmp_path / "main.conf", neighbor('include "part.conf";'))
    assert errors_of_files(main) == ["part.conf:2: 1 is neither 0 nor in the range 3 to 65535"]


def test_files_that_include_each_other_are_an_error(tmp_path: Path) -> None:
    one, two = tmp_path / "one.conf", tmp_path / "two.conf"
    write(one, 'include "two.conf";')
    write(two, 'include "one.conf";')
    assert errors_of_files(str(one)) == [f"two.conf:1: the file includes itself: {one} includes {two} includes {one}"]


def test_a_file_may_be_included_twice(tmp_path: Path) -> None:
    write(tmp_path / "part.conf", "hold-time 30;")
    both = neighbor('include "part.conf";') + neighbor('include "part.conf";', "127.0.0.3")
    assert len(load([write(tmp_path / "main.conf", both)], {}).neighbors) == 2


def test_a_minus_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(neighbor("hold-time 30;").encode())))
    configuration = load(["-"], {})
    assert configuration.neighbors[0].hold_time == 30
    assert configuration.sources == ("<stdin>",)


def test_standard_input_is_not_read_again() -> None:
    with pytest.raises(LoadError, match="standard input, it cannot be read again"):
        read_again(["-"], NOTHING)


def test_programs_are_looked_up_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    program = tmp_path / "run" / "helper"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    main = write(tmp_path / "main.conf", "process a { run ./run/helper -v; }")
    assert load([main], {}).processes[0].run == (str(program), "-v")


def test_a_single_value_of_a_template_wins_with_a_warning() -> None:
    text = "template { neighbor a { hold-time 30; } neighbor b { hold-time 40; } }\n"
    configuration = compiled(text + neighbor("hold-time 90; inherit [ b a ];"))
    assert configuration.neighbors[0].hold_time == 30
    (warning,) = configuration.warnings
    assert warning.message == "'hold-time' has no effect here: the template 'a' sets another value"
    assert "wins over the neighbor's" in warning.hint
    assert (warning.line, warning.column) == (3, 1)


def test_a_template_that_is_inherited_in_several_ways_counts_once() -> None:
    text = """process p { run /bin/cat; }
    template {
        neighbor base {
            hold-time 30; api x { processes [ p ]; } operational { asm afi ipv4 safi unicast advisory hi; }
        }
        neighbor a1 { inherit base; hold-time 40; }
        neighbor a2 { inherit base; hold-time 50; }
    }
    """
    for inherit in ("[ a1 a2 ]", "[ base base ]"):
        (found,) = compiled(text + neighbor(f"inherit {inherit};")).neighbors
        assert [block.name for block in found.api] == ["x"]
        assert len(found.operational) == 1
        assert found.hold_time == 30


def test_what_stands_behind_an_l2vpn_section_is_announced_before_what_stands_in_front_of_it() -> None:
    static = "static { route 10.0.0.0/8 next-hop 192.0.2.1; }"
    l2vpn = "l2vpn { vpls endpoint 5 base 1 offset 1 size 8 rd 1:1 next-hop 192.0.2.1; }"
    flow = "flow { route destination 10.0.0.0/8 discard; }"
    (found,) = compiled(neighbor(f"{static} {l2vpn} {flow}")).neighbors
    assert [str(entry.family) for entry in found.routes] == ["ipv4 flow", "ipv4 unicast", "l2vpn vpls"]
    first, *others = (place for _, place in found.places)
    assert max(others) < first  # each route keeps its own place


def test_routes_of_a_template_stay_in_order_behind_those_of_the_neighbor() -> None:
    l2vpn = "l2vpn { vpls endpoint 5 base 1 offset 1 size 8 rd 1:1 next-hop 192.0.2.1; }"
    flow = "flow { route destination 10.0.0.0/8 discard; }"
    text = f"template {{ neighbor a {{ {l2vpn} {flow} }} }}\n"
    (found,) = compiled(text + neighbor("inherit a; static { route 10.0.0.0/8 next-hop 192.0.2.1; }")).neighbors
    assert [str(entry.family) for entry in found.routes] == ["ipv4 unicast", "l2vpn vpls", "ipv4 flow"]


def test_equal_texts_compile_to_equal_configurations() -> None:
    text = neighbor("static { route 10.0.0.0/8 next-hop 192.0.2.1; }")
    assert dump(compiled(text)) == dump(compiled(text))


def test_the_order_of_families_is_no_difference() -> None:
    one = compiled(neighbor("family { ipv4 unicast; ipv6 unicast; }"))
    assert one == compiled(neighbor("family { ipv6 unicast; ipv4 unicast; }"))

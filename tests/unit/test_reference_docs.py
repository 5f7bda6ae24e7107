"""The reference is what the program knows: generated parts are up to date, and every example is good.

Blocks of code say by their language what they are: `bgpbus` a configuration, `neighbor` statements of a neighbor,
`commands` lines of the API, `json` events or the routes of one, `python` programs.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from apid.config.directives import CAPABILITY, EVENTS, MESSAGES, NEIGHBOR, PROCESS
from apid.config.draft import SECTIONS
from apid.config.environment import OPTIONS
from apid.config.load import load_text
from apid.grammar.attributes import ATTRIBUTES
from apid.grammar.command import COMMANDS, parse_command
from apid.grammar.draft import ROUTE_KEYWORDS
from apid.grammar.extended_community import FORMS, extended_community_value
from apid.grammar.flow import ACTIONS, MATCHES, PREFIX_MATCHES
from tests.shared import ROOT
from tests.unit.event_schema import errors_of
from tools.docs.__main__ import main
from tools.docs.commands import GROUPS
from tools.docs.examples import EXTENDED_COMMUNITIES, ROUTES
from tools.docs.markdown import code, table
from tools.docs.pages import PAGES, PageError, filled, written

OURS = [*(ROOT / page for page in PAGES), *sorted((ROOT / "docs/recipes").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WHOLE = "neighbor 192.0.2.1 {{ local-address 192.0.2.10; local-as 65001; peer-as 65001;\n{}\n}}\n"
PROGRAMS = {"PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin"}


def blocks(language: str) -> list[object]:
    """Return every block of a language, as parameters with a name."""
    found = []
    for path in OURS:
        for number, (kind, text) in enumerate(BLOCK.findall(path.read_text(encoding="utf-8")), 1):
            if kind == language:
                found.append(pytest.param(text, id=f"{path.stem}-{number}"))
    return found


@pytest.mark.parametrize(
    ("path", "text"), list(written()), ids=lambda each: each.name if isinstance(each, Path) else ""
)
def test_the_generated_parts_of_a_page_are_up_to_date(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run: python -m tools.docs"


def test_the_check_of_the_tool_is_content() -> None:
    result = CliRunner().invoke(main, ["--check"])
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("text", blocks("bgpbus"))
def test_an_example_configuration_loads_without_a_warning(text: str) -> None:
    configuration = load_text(text, PROGRAMS, directory=str(ROOT / "examples"))
    assert not configuration.warnings


@pytest.mark.parametrize("text", blocks("neighbor"))
def test_example_statements_of_a_neighbor_load_without_a_warning(text: str) -> None:
    assert not load_text(WHOLE.format(text), PROGRAMS).warnings


@pytest.mark.parametrize("text", blocks("commands"))
def test_example_commands_are_commands(text: str) -> None:
    for line in text.splitlines():
        parse_command(line)


@pytest.mark.parametrize("text", blocks("json"))
def test_example_events_are_valid(text: str) -> None:
    event = json.loads(text)
    if "exabgp" in event:
        assert not errors_of(event)
    else:
        assert not errors_of(event, "update-by-next-hop") or not errors_of(event, "update-by-prefix")


@pytest.mark.parametrize("text", blocks("python"))
def test_example_programs_are_programs(text: str) -> None:
    ast.parse(text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_blocks_of_code_are_of_a_kind_that_is_tested_or_are_plain(path: Path) -> None:
    kinds = {kind for kind, _ in BLOCK.findall(path.read_text(encoding="utf-8"))}
    assert kinds <= {"bgpbus", "neighbor", "commands", "json", "python", "ini", "text", ""}


def test_every_word_of_the_tables_is_in_the_reference() -> None:
    text = {name: (ROOT / f"docs/reference/{name}.md").read_text() for name in ("configuration", "routes")}
    for name in (*PROCESS, *NEIGHBOR, *CAPABILITY, *EVENTS, *MESSAGES, *SECTIONS):
        assert re.search(rf"`{name}[`; ]", text["configuration"]), name
    for name in (*ATTRIBUTES, *ROUTE_KEYWORDS, *FORMS, *MATCHES, *PREFIX_MATCHES, *ACTIONS):
        assert re.search(rf"(`|<code>){name}(`|:)", text["routes"]), name


def test_every_command_stands_once_in_the_reference() -> None:
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted(row.name for row in COMMANDS)


@pytest.mark.parametrize("line", [line for lines in ROUTES.values() for line in lines])
def test_an_example_of_a_route_is_a_command(line: str) -> None:
    parse_command(line)


def test_every_kind_of_extended_community_has_an_example() -> None:
    assert list(EXTENDED_COMMUNITIES) == list(FORMS)
    for text in EXTENDED_COMMUNITIES.values():
        assert len(extended_community_value(text)) == 8


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.section != "debug"])
def test_an_option_is_said_to_have_an_effect_if_somebody_reads_it(name: str) -> None:
    option = OPTIONS[name]
    readers = [
        str(path.relative_to(ROOT))
        for folder in ("apid", "peerd", "ribd", "bus")
        for path in (ROOT / folder).rglob("*.py")
        if path.parent.name != "config"
        and re.search(rf"\b{option.section}\.{option.field}\b", path.read_text(encoding="utf-8"))
    ]
    assert bool(readers) != bool(option.reason), (
        f"apid/config/options.py is wrong about {name}, which is read in {readers}"
    )


def test_a_page_must_ask_for_what_there_is_and_for_all_of_it() -> None:
    page = "<!-- generated: one -->\nold\n<!-- end -->\n"
    assert filled(page, {"one": "new"}, "page") == "<!-- generated: one -->\n\nnew\n\n<!-- end -->\n"
    with pytest.raises(PageError, match="nobody generates 'one'"):
        filled(page, {"two": ""}, "page")
    with pytest.raises(PageError, match="not in the page: two"):
        filled(page, {"one": "", "two": ""}, "page")


def test_tables_refuse_what_would_break_them() -> None:
    assert table(("a", "b"), [(code("x|y"), code("z"))]).splitlines()[2] == "| <code>x&#124;y</code> | `z` |"
    for row in (("a",), ("a", "b|c"), ("a", "b\nc")):
        with pytest.raises(ValueError, match="not 2 cells"):
            table(("a", "b"), [row])

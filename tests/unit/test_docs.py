"""What the documents say exists and works: links, paths, commands, targets, examples, the snippet for taps."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apid.cli.main import COMMANDS, SYNONYMS
from apid.grammar.abbreviations import in_full
from apid.grammar.command import parse_command
from apid.load import read_configuration
from bus.daemon import RunDirectory
from bus.loop import Loop
from bus.transport import Publisher
from tests.shared import ROOT

DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")], key=lambda path: str(path.relative_to(ROOT)))
LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)|^ {0,3}\[[^\]]+\]: +(\S+)|(?:href|src)=["']([^"']+)""", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
SECTION = re.compile(r'`(\w+\.md)`, "([^"]+)"')
CODE = re.compile(r"```(\w*)\n(.*?)```|`([^`\n]+)`", re.DOTALL)
FOLDERS = ("apid", "bgp", "bus", "peerd", "ribd", "tests", "tools", "docs", "examples")
PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*")
OF_THE_API = ("show", "announce", "withdraw", "neighbor", "teardown")
WAIT = 10.0  # seconds for a process to say something


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_of(path: Path) -> list[tuple[str, str]]:
    """Return (language, code) of every block and every piece of code inside a sentence (language `inline`)."""
    found = []
    for language, block, inline in CODE.findall(path.read_text()):
        found.append(("inline", inline) if inline else (language, block))
    return found


def block_of(page: str, start: str) -> str:
    """Return the block of a page whose code begins with `start`."""
    (block,) = [text for kind, text in code_of(ROOT / page) if kind != "inline" and text.startswith(start)]
    return block


def slug(heading: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(line.lstrip("# ")) for line in FENCED.sub("", path.read_text()).splitlines() if line.startswith("#")}


def dead_links(path: Path, text: str) -> list[str]:
    """Return the links of a document that lead nowhere.

    docs/ is a site of its own as well: its pages reach only each other's files there, no folders, and no anchor with
    two hyphens in a row, of which MkDocs makes one. Elsewhere anything of the checkout will do.
    """
    dead = []
    for target in map("".join, LINK.findall(FENCED.sub("", text))):
        file, _, anchor = target.partition("#")
        if re.match(r"\w+:", target):
            continue
        place = (path.parent / file).resolve() if file else path
        on_the_site = place.is_file() and place.is_relative_to(DOCS) and "--" not in anchor
        good = on_the_site if path.is_relative_to(DOCS) else place.exists()
        if not good or (anchor and anchor not in anchors(place)):
            dead.append(target)
    return dead


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_no_link_is_dead(path: Path) -> None:
    assert not dead_links(path, path.read_text())


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("[a](bus.md) [b](adr/index.md#decisions) [c](#documents) [d](https://example.net/)", []),
        ("[a](nowhere.md)", ["nowhere.md"]),
        ('![a](performance/nowhere.svg "a picture")', ["performance/nowhere.svg"]),
        ("[a](operations.md#nowhere) [b](#nowhere)", ["operations.md#nowhere", "#nowhere"]),
        ("[a](../README.md) and [b](../README.md#numbers)", ["../README.md", "../README.md#numbers"]),
        ("[a](adr/) [b](adr)", ["adr/", "adr"]),
        ("[a](/bus.md)", ["/bus.md"]),
        ("[a][b]\n\n[b]: nowhere.md", ["nowhere.md"]),
        ('<a href="nowhere.md">a</a>', ["nowhere.md"]),
        ("```\n[a](nowhere.md)\n```", []),
    ],
)
def test_a_dead_link_of_a_page_is_found(text: str, dead: list[str]) -> None:
    assert dead_links(DOCS / "index.md", text) == dead


def test_mkdocs_is_told_to_take_no_dead_link_either() -> None:
    settings = dict(re.findall(r"^    (\w+): (\w+)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    names = ("absolute_links", "anchors", "not_found", "unrecognized_links")
    assert {name: settings.get(name) for name in names} == dict.fromkeys(names, "warn")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_sections_of_files_outside_the_site_exist(path: Path) -> None:
    for file, heading in SECTION.findall(path.read_text()):
        assert slug(heading) in anchors(ROOT / file)


def test_every_page_has_its_place_in_the_menu() -> None:
    """What `mkdocs build --strict` asks for."""
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)) == pages


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_paths_in_the_checkout_exist(path: Path) -> None:
    inline = [text for language, text in code_of(path) if language == "inline"]
    missing = [text for text in inline if PATH.fullmatch(text) and not (ROOT / text).exists()]
    assert not missing


def our_commands(path: Path) -> list[list[str]]:
    """Return the words of each `bgpbus …` in a document, without what the shell does and our options in front."""
    lines = [line for _, text in code_of(path) for line in re.split(r"\n|&&", text)]
    found = []
    for line in lines:
        match = re.match(r"\s*(?:\w+=\S+ )*(?:\S*/)?bgpbus ((?:--run-dir \S+ )?)(\S.*)", line)
        if match:
            found.append(re.split(r" {3,}|  \(", match[2].strip())[0].split())
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_exist(path: Path) -> None:
    for words in our_commands(path):
        first = in_full(words[0])
        if first.startswith("-") or first.isupper() or first.endswith((".conf", "|", "…")):
            continue
        assert first in COMMANDS or first in SYNONYMS, words
        if first in OF_THE_API and not {"…", "..."} & set(words):
            parse_command(in_full(" ".join(words)))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = re.findall(r"(?:^|`)make ([a-z]+)(?: |`|$)", path.read_text(), re.MULTILINE)
    assert set(said) <= targets


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.conf")), ids=name_of)
def test_examples_are_good_configurations(path: Path) -> None:
    assert not read_configuration([str(path)], {"PATH": os.defpath}).warnings


@pytest.mark.system
@pytest.mark.parametrize(
    ("page", "command"),
    [
        ("README.md", "announce route 198.51.100.0/24 next-hop self"),
        ("docs/quickstart.md", "announce route 198.51.100.0/24 next-hop 192.0.2.10 med 10"),
    ],
)
def test_a_page_s_first_configuration_and_helper_are_good(page: str, command: str, tmp_path: Path) -> None:
    helper = tmp_path / "announcer.py"
    helper.write_text(block_of(page, "#!/usr/bin/env python3"))
    helper.chmod(0o755)
    configuration = tmp_path / "bgpbus.conf"
    configuration.write_text(block_of(page, "process announcer").replace("/etc/bgpbus/announcer.py", str(helper)))
    loaded = read_configuration([str(configuration)], {"PATH": os.defpath})
    assert not loaded.warnings
    assert dialogue([str(helper)], 1) == [command]


def dialogue(arguments: list[str], count: int) -> list[str]:
    """Run a helper, answer `done` to each of its commands, and return the first `count`, which must make sense."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        commands: list[str] = []
        while len(commands) < count:
            ready, _, _ = select.select([process.stdout], [], [], WAIT)
            assert ready, f"{commands} and then nothing"
            line = process.stdout.readline().rstrip("\n")
            assert line, f"{commands} and then its end"
            parse_command(line)
            commands.append(line)
            process.stdin.write("done\n")
            process.stdin.flush()
        return commands
    finally:
        process.kill()
        process.communicate()


@pytest.mark.system
def test_the_quickstart_helper_announces_a_route() -> None:
    assert dialogue([str(ROOT / "examples/quickstart.py")], 1)[0].startswith("announce route 198.51.100.0/24 ")


@pytest.mark.system
def test_the_flowspec_helper_blocks_what_is_in_the_file(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("203.0.113.7/32  # a comment\nnonsense\n198.51.100.0/24\n")
    commands = dialogue([str(ROOT / "examples/flowspec.py"), str(blocked)], 3)
    assert commands[0] == "show adj-rib out"
    assert [re.findall(r"source (\S+);", command) for command in commands[1:]] == [
        ["198.51.100.0/24"],
        ["203.0.113.7/32"],
    ]


@pytest.mark.system
@pytest.mark.parametrize("name", ["collector.py", "sqlite_collector.py"])
def test_a_collector_says_in_one_line_that_it_cannot_write(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "file"
    command = [sys.executable, str(ROOT / "examples" / name), str(missing)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(rf"{missing} cannot be written by uid {os.getuid()}: .+\n", done.stderr)


@pytest.mark.system
def test_the_snippet_for_taps_prints_events(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    snippet = block_of("README.md", "import msgpack").replace("/run/bgpbus", str(tmp_path))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    broker = subprocess.Popen([sys.executable, "-m", "bus", str(tmp_path)], env=environment, stderr=subprocess.DEVNULL)
    tap = subprocess.Popen([sys.executable, "-c", snippet], stdout=subprocess.PIPE)
    loop = Loop()
    try:
        publisher = Publisher(loop, run.events_in, "test", "epoch")
        deadline = time.monotonic() + WAIT
        assert tap.stdout is not None
        while not select.select([tap.stdout], [], [], 0)[0]:
            assert time.monotonic() < deadline, "the snippet printed nothing"
            loop.call_later(0.05, lambda: publisher.publish("state/192.0.2.1", {"state": "up"}))
            loop.turn()
        line = tap.stdout.readline().decode()
        assert line.startswith("state/192.0.2.1 [")
        assert "{'state': 'up'}" in line
    finally:
        for process in (tap, broker):
            process.kill()
            process.communicate()
        loop.close()

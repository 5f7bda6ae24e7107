"""Command lines and the octets that they stand for; those marked `exabgp 5.0.15` were seen on its wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apid.grammar.command import RouteChange, parse_command
from apid.grammar.fast import CommandReader, Routes, Single
from bgp.nlri import decode

VECTORS = [
    json.loads(line) for line in (Path(__file__).parent.parent / "golden" / "commands.jsonl").read_text().splitlines()
]


def expected(vector: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return [(entry["family"], entry["attributes"], entry["items"]) for entry in vector["entries"]]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_line_means_the_octets_of_its_vector(vector: dict[str, Any]) -> None:
    command = parse_command(vector["line"])
    assert isinstance(command, RouteChange)
    assert command.announce == vector["announce"]
    seen = [(str(e.family), e.attributes.hex(), [item.hex() for item in e.items]) for e in command.entries]
    assert seen == expected(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_fast_reader_agrees_with_the_vector(vector: dict[str, Any]) -> None:
    (step,) = CommandReader().read(vector["line"].encode() + b"\n")
    if isinstance(step, Routes):
        seen = [(str(step.family), step.attributes.hex(), [item.hex() for item in step.items])]
        assert seen == expected(vector)
    else:
        assert step == Single(vector["line"], parse_command(vector["line"]))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_item_can_be_read_back(vector: dict[str, Any]) -> None:
    command = parse_command(vector["line"])
    assert isinstance(command, RouteChange)
    for entry in command.entries:
        for item in entry.items:
            assert decode(entry.family, item).item() == item

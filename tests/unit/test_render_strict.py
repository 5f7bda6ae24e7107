"""A JSON parser for tests that refuses what the standard calls unwise, and the context that events are made in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apid.render import NeighborContext, ProcessContext
from bgp.family import FAMILIES
from bgp.negotiated import Negotiated

NEIGHBOR = NeighborContext("127.0.0.2", "127.0.0.1", 65001, 65002, "10.0.0.1", "neighbor 127.0.0.2")
PROCESS = ProcessContext("vm", 20372, 1)
NEGOTIATED = Negotiated(local_as=65001, peer_as=65001, families=tuple(FAMILIES.values()))
WHEN = 1795316966.25


def strict(text: str | bytes) -> Any:
    """Parse JSON; raise ValueError for a name that occurs twice, for NaN and Infinity, for more than one line."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f"a name occurs twice in {names}")
        return dict(pairs)

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    if isinstance(text, bytes):
        text = text.decode()
    if "\n" in text.rstrip("\n") or "\r" in text:
        raise ValueError("an event is one line")
    return json.loads(text, object_pairs_hook=members, parse_constant=refuse)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[NaN]", "[Infinity]", '{"a":\n1}', "{'a': 1}", '["\x01"]'])
def test_the_strict_parser_refuses(text: str) -> None:
    with pytest.raises(ValueError):
        strict(text)


def test_the_strict_parser_accepts_json() -> None:
    assert strict('{"a": [1, "\\u0001"], "b": 2}\n') == {"a": [1, "\x01"], "b": 2}

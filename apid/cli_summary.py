"""The table of `bgpbus show neighbor summary`: every neighbor, up or not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apid.cli_ask import ask_json
from apid.cli_table import table
from bus.daemon import RunDirectory

HEAD = ["neighbor", "AS", "state", "up for", "in", "out", "last error"]
UNKNOWN = "-"


def summary(run: RunDirectory, words: tuple[str, ...]) -> list[str]:
    """Ask for neighbors, or for those that the words select, and lay them out."""
    return table(HEAD, [_row(neighbor) for neighbor in ask_json(run, " ".join(("show neighbor", *words, "json")))])


def _row(neighbor: dict[str, Any]) -> list[str]:
    peer, prefixes = neighbor["peer"], neighbor["prefixes"]
    up = neighbor["state"] == "up"
    announced = prefixes["announced"]
    return [
        peer["address"],
        UNKNOWN if peer["as"] is None else str(peer["as"]),
        "shut" if neighbor["shut"] else neighbor["fsm"].lower(),
        str(timedelta(seconds=neighbor["duration"])) if up else UNKNOWN,
        str(prefixes["received"]) if up else UNKNOWN,
        UNKNOWN if announced is None else str(announced),
        neighbor["last-error"],
    ]

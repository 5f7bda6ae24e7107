"""The generated parts of docs/reference/commands.md, from the table of commands."""

from __future__ import annotations

from apid.grammar.command_names import COMMANDS, Row
from apid.grammar.selector import TERMS
from tools.docs.markdown import block, code, sentence, table

ROUTES = (
    "route",
    "attributes",
    "attribute",
    "ipv4",
    "ipv6",
    "l2vpn",
    "flow",
    "flowspec",
    "vpnv4",
    "vpnv6",
    "vpls",
    "evpn",
    "rtc",
    "bgp-ls",
    "raw",
)
GROUPS: dict[str, tuple[str, ...]] = {
    "announce": tuple(f"announce {name}" for name in ROUTES),
    "withdraw": tuple(f"withdraw {name}" for name in ROUTES),
    "watchdogs": ("announce watchdog", "withdraw watchdog"),
    "messages": ("announce eor", "announce route-refresh", "announce refresh", "announce operational"),
    "sessions": ("teardown", "flush adj-rib out", "clear adj-rib in", "clear adj-rib out", "flush"),
    "show": (
        "show neighbor",
        "show adj-rib in",
        "show adj-rib out",
        "show summary",
        "show extensive",
        "show configuration",
    ),
    "daemon": ("reload", "restart", "shutdown", "status", "version", "help", "ping", "bye", "reset", "crash"),
    "neighbors": ("peer create", "create neighbor", "peer delete", "delete neighbor", "enable"),
    "acknowledgements": ("enable-ack", "session ack explain", "disable-ack", "silence-ack"),
    "wire": ("session sync", "enable-sync", "disable-sync"),
    "groups": ("group start", "group end"),
    "release-6": (
        "daemon shutdown",
        "daemon reload",
        "daemon restart",
        "daemon status",
        "session ack enable",
        "session ack disable",
        "session ack silence",
        "session ping",
        "session bye",
        "session reset",
        "system version",
        "system help",
        "system queue-status",
        "queue-status",
        "system crash",
        "system api version",
        "rib show in",
        "rib show out",
        "rib flush out",
        "rib clear in",
        "rib clear out",
        "peer list",
        "peer show",
    ),
}
"""Every command, by the part of the page where it stands."""

ROWS: dict[str, Row] = {row.name: row for row in COMMANDS}


def commands(names: tuple[str, ...]) -> str:
    """Render a table of commands; those that take a selector are marked."""
    rows = []
    for name in names:
        row = ROWS[name]
        written = code(f"{name} {row.syntax}".strip())
        rows.append((written, "yes" if row.selectable else "–", sentence(row.help)))
    return table(("command", "selector", "what it does"), rows)


def selectors() -> str:
    """Render the terms of a selector."""
    return block("text", "neighbor IP|* " + " ".join(f"[{term} VALUE]" for term in TERMS))


def regions() -> dict[str, str]:
    """Return what stands in the page, by name."""
    return {f"commands-{group}": commands(names) for group, names in GROUPS.items()} | {"selectors": selectors()}

"""Write docs/bus.md from the message catalogue: `python -m tools.busdoc` (a test fails when the two differ)."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from bus.schema import KINDS, MESSAGE_LIMIT, SCHEMA, TOPICS, Feed, Message, sessions

TARGET = Path(__file__).resolve().parent.parent / "docs" / "bus.md"

SECTIONS = {
    1: ("Routes", "Lossless: a request is repeated until it is answered, a session pulls what it can send."),
    20: ("Sessions", "Lossless while the subscriber gives credit; what it then loses is counted and said."),
    30: ("Control", "Commands and their answers, and the presence of helpers."),
    40: ("Listener", "Accepted connections on their way to the process that owns the neighbor."),
    50: ("Files", "What control leaves in the run directory: the octets of one message each, replaced atomically."),
    60: ("Events", "Lossy: for monitors. A gap in the numbers shows what was missed."),
}
WORDS = {
    "int": "integer",
    "str": "text",
    "bytes": "octets",
    "bool": "boolean",
    "float": "number",
    "Any": "anything",
    "dict[str, Any]": "map",
}
INTRODUCTION = """\
# The bus

Written by `python -m tools.busdoc` from `bus/schema`, which is the definition: change that, then run it.

A message is one msgpack array `[{schema}, kind, field, …]`: the version of this catalogue, the number of the message,
then its fields in the order below. Kinds and fields are only ever appended; none is renumbered, removed or given
another meaning under the same version. Whoever receives a message checks the type of every field; a bad one is refused,
counted, and published under `bad/PROGRAM`. No message is larger than {limit} MiB.

Requests travel over ZeroMQ ROUTER and DEALER sockets (`ipc://RUN/ribd`, `ipc://RUN/control`, `ipc://RUN/peerd-…`), two
frames at the server: identity, message. Events travel over PUB and SUB through the broker, two frames: topic, message;
publishers connect to `ipc://RUN/events-in`, taps subscribe at `ipc://RUN/events`. `RUN` is the run directory.

Routes and BGP messages are octets here. An *item* is one route: 4 octets of path identifier, then its NLRI as on the
wire. An *attribute set* is the path attributes as on the wire, in the order of their codes, with 4-octet AS numbers,
and with the next hop of any family in NEXT_HOP. A *neighbor* is named by its address as in the configuration; one
that comes to others of its address by that, `~` and eight digits or more, a digest of what tells them apart: local
address, AS numbers, router-id, `listen`. A name stays as long as its neighbor is in force, whoever else comes or goes.
One session of a range is named ADDRESS@RANGE, in messages wherever a neighbor is, and in the topics of events.
"""


def type_words(annotation: str) -> str:
    """Say a type in words."""
    if annotation in WORDS:
        return WORDS[annotation]
    if match := re.fullmatch(r"list\[(.*)\]", annotation):
        return f"list of {type_words(match[1])}"
    if match := re.fullmatch(r"(.*) \| None", annotation):
        return f"{type_words(match[1])} or nil"
    raise ValueError(f"no words for the type {annotation}")


def described(cls: type[Message]) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of the message, and of its fields: `name, name: text` up to the next such name."""
    text = re.sub(r"\n\s+", " ", inspect.cleandoc(cls.__doc__ or "").replace("\n\n", "\n"))
    one = "|".join(map(re.escape, cls.__struct_fields__))
    parts = re.split(rf"(?:\n|(?<=\. ))((?:{one})(?:, (?:{one}))*): ", text)
    fields: dict[str, str] = {}
    for key, words in zip(parts[1::2], parts[2::2], strict=True):
        fields.update(dict.fromkeys(key.split(", "), " ".join(words.split())))
    return " ".join(parts[0].split()), fields


def cell(text: str) -> str:
    """Make text fit for a table."""
    return text.replace("|", "\\|") or "–"


def message_text(cls: type[Message]) -> str:
    """Return the part of one message."""
    summary, said = described(cls)
    lines = [f"### {cls.KIND} `{cls.__name__}`", "", f"*{cls.ROUTE}*", "", summary, ""]
    lines += ["| field | type | meaning |", "|---|---|---|"]
    for name in cls.__struct_fields__:
        lines.append(f"| `{name}` | {type_words(cls.__annotations__[name])} | {cell(said.get(name, ''))} |")
    return "\n".join([*lines, ""])


def feed_kinds() -> str:
    """Return the table of FEED kinds, whose meaning stands beside them in the module."""
    rows = re.findall(r"^(FEED_\w+) = (\d+)  # (.*)$", inspect.getsource(sessions), re.MULTILINE)
    lines = ["Kinds of items in a `Feed`:", "", "| kind | name | octets |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {number} | `{name}` | {cell(text)} |" for name, number, text in rows), ""])


def topics() -> str:
    """Return the table of topics."""
    lines = [
        "Topics; a subscription takes every topic that begins with it:",
        "",
        "| topic | meaning: data |",
        "|---|---|",
    ]
    return "\n".join([*lines, *(f"| `{topic}` | {cell(text)} |" for topic, text in TOPICS.items()), ""])


def document() -> str:
    """Return the whole document."""
    parts = [INTRODUCTION.format(schema=SCHEMA, limit=MESSAGE_LIMIT >> 20)]
    for kind in sorted(KINDS):
        for first in [first for first in SECTIONS if first == kind]:
            title, text = SECTIONS[first]
            parts.append(f"## {title}\n\n{text}\n")
        parts.append(message_text(KINDS[kind]))
        if KINDS[kind] is Feed:
            parts.append(feed_kinds())
    return "\n".join([*parts, topics()])


def main() -> int:
    """Write the document."""
    TARGET.write_text(document())
    print(f"{TARGET} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

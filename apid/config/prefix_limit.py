"""The section `maximum-prefix`: how many routes of a family the peer may announce."""

from __future__ import annotations

from msgspec import Struct

from apid.config.families import read_family
from apid.config.reader import FAILED, Context, guarded
from apid.config.source import Source
from apid.config.tree import Section
from apid.config.values import read_number
from apid.grammar.words import Token, Words, unknown_word
from bgp.prefix_limit import PrefixLimit

WARNING_PERCENT = 75
LARGEST = 2**32 - 1
_OPTIONS = ("warn", "warning-only", "restart")


class LimitPlace(Struct, frozen=True):
    """A limit, and where it stands."""

    limit: PrefixLimit
    source: Source
    token: Token


def _limit(words: Words) -> PrefixLimit:
    """Read `AFI SAFI LIMIT [warn PERCENT] [restart SECONDS | warning-only]`."""
    family = read_family(words)
    maximum = read_number(words.token("the most routes"), 1, LARGEST)
    percent, teardown, restart = WARNING_PERCENT, True, None
    while words:
        option = words.token("an option")
        if option.text == "warn":
            percent = read_number(words.token("a percentage"), 1, 100)
        elif option.text == "warning-only" and restart is None:
            teardown = False
        elif option.text == "restart" and teardown:
            restart = read_number(words.token("a number of seconds"), 1, 86400)
        elif option.text in _OPTIONS:
            raise words.wrong("'restart' and 'warning-only' exclude each other")
        else:
            raise words.wrong(unknown_word(option.text, _OPTIONS, "option"))
    return PrefixLimit(family, maximum, -(-maximum * percent // 100), teardown, restart)


def prefix_limit_section(context: Context, section: Section, found: list[LimitPlace]) -> None:
    """Read `maximum-prefix` into `found`; a family that is listed twice is an error."""
    for node, tokens in context.statements(section, "maximum-prefix"):
        limit = guarded(context, node, tokens, _limit)
        if limit is FAILED:
            continue
        twin = next((place for place in found if place.limit.family == limit.family), None)
        if twin is not None:
            message = f"{limit.family} has two limits, here and on line {twin.token.line}"
            context.problems.error(node.source, tokens[0], message)
        else:
            found.append(LimitPlace(limit, node.source, tokens[0]))

"""The generated parts of docs/reference/routes.md: attributes, communities, families, FlowSpec."""

from __future__ import annotations

from collections.abc import Mapping

from apid.grammar.attributes import ATTRIBUTES, WELL_KNOWN_COMMUNITIES
from apid.grammar.draft import ROUTE_KEYWORDS
from apid.grammar.extended_community import FORMS
from apid.grammar.flow import ACTIONS, MATCHES, PREFIX_MATCHES
from apid.grammar.flow_names import FRAGMENTS, ICMP_CODES, ICMP_TYPES, PROTOCOLS, TCP_FLAGS
from bgp.family import AFI
from tools.docs.examples import EXTENDED_COMMUNITIES, ROUTES
from tools.docs.markdown import block, code, sentence, table


def attributes() -> str:
    """Render the attributes."""
    return table(
        ("keyword", "value", "code", "meaning"),
        [
            (code(name), code(each.syntax), str(each.code) if each.code else "any", sentence(each.help))
            for name, each in ATTRIBUTES.items()
        ],
    )


def keywords() -> str:
    """Render what else a route says."""
    return table(
        ("keyword", "value", "meaning"),
        [(code(name), code(syntax), sentence(text)) for name, (_, syntax, text) in ROUTE_KEYWORDS.items()],
    )


def communities() -> str:
    """Render the communities that have names."""
    return table(
        ("name", "value"),
        [(code(name), code(f"{value >> 16}:{value & 0xFFFF}")) for name, value in WELL_KNOWN_COMMUNITIES.items()],
    )


def extended_communities() -> str:
    """Render the kinds of extended communities, each with an example and its octets."""
    return table(
        ("form", "meaning", "example", "octets"),
        [
            (
                code(f"{name}:{form.syntax}" if form.syntax else name),
                sentence(form.help),
                code(EXTENDED_COMMUNITIES[name]),
                code(form.read(EXTENDED_COMMUNITIES[name].partition(":")[2]).hex()),
            )
            for name, form in FORMS.items()
        ],
    )


def matches() -> str:
    """Render what a rule can match."""
    rows = [(code(name), "–", "IP prefix", _prefix_match(name)) for name in PREFIX_MATCHES]
    for name, match in MATCHES.items():
        operators = "bit mask" if match.bitmask else "number"
        values = "names or " if match.names else "services or " if match.service else ""
        only = " (IPv6 only)" if match.afi == AFI.IPV6 else ""
        rows.append((code(name), operators, f"{values}0..{match.maximum}", sentence(match.help + only)))
    return table(("component", "operators", "values", "meaning"), rows)


def _prefix_match(name: str) -> str:
    base, _, suffix = name.partition("-")
    only = {"": "", "ipv4": " of IPv4", "ipv6": " of IPv6, also `prefix/length/offset`"}[suffix]
    return sentence(f"{base} address{only}")


def actions() -> str:
    """Render what a rule can do."""
    return table(
        ("action", "value", "meaning"),
        [(code(name), code(syntax), sentence(text)) for name, (_, syntax, text) in ACTIONS.items()],
    )


def names(values: Mapping[str, int]) -> str:
    """Render names of numbers in one line."""
    return ", ".join(f"{code(name)} {value}" for name, value in values.items())


def regions() -> dict[str, str]:
    """Return what stands in the page, by name."""
    return {
        "attributes": attributes(),
        "route-keywords": keywords(),
        "communities": communities(),
        "extended-communities": extended_communities(),
        "flow-matches": matches(),
        "flow-actions": actions(),
        "flow-protocols": names(PROTOCOLS),
        "flow-icmp-types": names(ICMP_TYPES),
        "flow-icmp-codes": names(ICMP_CODES),
        "flow-tcp-flags": names(TCP_FLAGS),
        "flow-fragments": names(FRAGMENTS),
    } | {f"example-{name}": block("commands", "\n".join(lines)) for name, lines in ROUTES.items()}

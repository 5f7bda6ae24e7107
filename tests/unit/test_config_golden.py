"""Whole configurations and what they compile to; set UPDATE_GOLDEN=1 to write the expected files anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apid.config.errors import ConfigurationErrors
from tests.shared import shared
from tests.unit.config_dump import GOLDEN, compiled, compiled_file, dump, errors_of, neighbor
from tests.unit.test_grammar_fast import TAILS

CONFORMANCE = (
    "addpath",
    "attributes",
    "flow-redirect",
    "generic-attribute",
    "group-limit",
    "group",
    "ipv46routes4family",
    "ipv46routes6family",
    "l2vpn",
    "largecommunity",
    "mvpn",
    "split",
    "srv6-mup-v3",
    "unknowncap",
    "vpn",
)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.conf")), ids=lambda path: path.stem)
def test_a_configuration_compiles_to_its_golden_form(path: Path) -> None:
    expected = path.with_suffix(".json")
    found = dump(compiled_file(path))
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CONFORMANCE)
def test_a_configuration_of_the_conformance_cases_loads(name: str) -> None:
    configuration = compiled_file(shared(f"conformance/conf/conf-{name}.conf"))
    assert len(configuration.neighbors) == 1
    assert bool(configuration.neighbors[0].routes) == (name != "unknowncap")


def test_repeated_routes_compile_like_routes_that_are_read_word_by_word() -> None:
    prefixes: tuple[str, ...] = (
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.2.2.0/24",
        "10.3.3.128/25",
        "10.4.4.4/32",
        "0.0.0.0/0",
    )
    prefixes += ("224.0.0.0/4", "10.5.5.5", "2001:db8::/32", "239.1.1.1/32", "10.6.0.0/15")
    prefixes += ("2001:db8:1::/48", "::/0", "2001:db8::1/128", "2001:db8::1", "ff0e::/16", "2001:db8:2::/47")
    text = "neighbor 127.0.0.2 {{ local-address 127.0.0.1; local-as 1; peer-as 1; static {{\n{}\n}} }}"
    routes = [f"route {prefix} next-hop 192.0.2.1 med 7 path-information 9;" for prefix in prefixes]
    joined = [route.replace(" next-hop", " \\\n next-hop") for route in routes]  # keeps off the quick path
    quick = compiled(text.format("\n".join(routes))).neighbors[0].routes
    assert quick == compiled(text.format("\n".join(joined))).neighbors[0].routes
    assert len(quick) == len(prefixes)


def outcome(statements: str) -> object:
    """Return the routes of a neighbor, or what is wrong with it."""
    try:
        return compiled(neighbor(statements)).neighbors[0].routes
    except ConfigurationErrors as error:
        return [each.message for each in error.errors]


PLAIN_TAILS = [tail for tail in TAILS if not set(tail) & set("{}\"'#;\r")]


@pytest.mark.parametrize("tail", PLAIN_TAILS)
@pytest.mark.parametrize(
    ("section", "route"),
    [
        ("static {{ {} }}", "route 10.0.0.0/24"),
        ("static {{ {} }}", "route 2001:db8::/32"),
        ("announce {{ ipv4 {{ {} }} }}", "unicast 10.0.0.0/24"),
        ("announce {{ ipv6 {{ {} }} }}", "unicast 2001:db8::/32"),
        ("announce {{ ipv6 {{ {} }} }}", "unicast 10.0.0.0/24"),
        ("announce {{ ipv4 {{ {} }} }}", "route 10.0.0.0/24"),
    ],
)
def test_what_follows_a_prefix_means_the_same_read_quickly_and_word_by_word(
    section: str, route: str, tail: str
) -> None:
    quick, slow = (section.format("\n" + f"{route}{gap}{tail};\n{route}{gap}{tail};" + "\n") for gap in (" ", " \\\n "))
    assert outcome(quick) == outcome(slow)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("10.0.0.1/8", "10.0.0.1/8"),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("10.0.0.256/32", "10.0.0.256"),
        ("010.0.0.0/8", "010.0.0.0"),
        ("2001:db8::1/32", "2001:db8::1/32"),
        ("2001:db8::/129", "2001:db8::/129"),
    ],
)
def test_a_repeated_route_with_a_bad_prefix_is_still_an_error(prefix: str, message: str) -> None:
    routes = "route 10.0.0.0/8 next-hop 192.0.2.1;\nroute ::/0 next-hop 192.0.2.1;"
    errors = errors_of(neighbor(f"static {{\n{routes}\nroute {prefix} next-hop 192.0.2.1;\n}}"))
    assert [(line, column) for line, column, _ in errors] == [(5, 7)]
    assert message in errors[0][2]

"""No key reaches a log or a screen, however its statement is wrong."""

from __future__ import annotations

import time

import pytest

from apid.config.errors import ConfigurationErrors
from apid.grammar.secret import without_secrets
from tests.unit.config_dump import compiled, neighbor


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("md5-password topsecret; hold-time xx;", "md5-password *********; hold-time xx;"),
        ('md5-password "top secret"; hold-time xx;', "md5-password ************; hold-time xx;"),
        ("md5-password 'top secret'; hold-time xx;", "md5-password ************; hold-time xx;"),
        ("md5-password 'top; secret' }", "md5-password **************}"),
        ('md5-password "top secret', "md5-password " + "*" * 11),
        ("md5-password top secret;", "md5-password **********;"),
        ("md5-passwor topsecret;", "md5-passwor *********;"),
        ("md5password topsecret;", "md5password *********;"),
        ("peer create 192.0.2.1 md5-password 'top secret'", "peer create 192.0.2.1 md5-password ************"),
        ("hold-time md5;", "hold-time md5;"),
    ],
)
def test_a_line_is_shown_without_its_key(line: str, shown: str) -> None:
    assert without_secrets(line) == shown


def test_a_word_that_holds_the_directive_many_times_takes_no_time() -> None:
    line = "md5-pass-" * 7000
    began = time.process_time()
    assert without_secrets(line) == line
    assert time.process_time() - began < 1.0  # where each is tried to the end of the line, several seconds


@pytest.mark.parametrize(
    "statement",
    [
        "md5-password a topsecret;",
        "md5-password 'a topsecret;",
        "md5-passwor topsecret;",
        "md5-password a { topsecret; }",
    ],
)
def test_an_error_does_not_quote_a_key(statement: str) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        compiled(neighbor(statement))
    assert "topsecret" not in str(caught.value)

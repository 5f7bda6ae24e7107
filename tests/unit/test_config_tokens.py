"""Tokens of files and of command lines."""

from __future__ import annotations

import os

import pytest

from apid.grammar.tokens import command_tokens, scan
from apid.grammar.words import GrammarError, Token

FILES = [
    ("words are separated by blanks and tabs", "a  b\tc", ["a", "b", "c"]),
    (
        "punctuation stands by itself",
        "a[b,c](d){e;}",
        ["a", "[", "b", ",", "c", "]", "(", "d", ")", "{", "e", ";", "}"],
    ),
    ("a comment ends with its line", "a # b;\nc", ["a", "c"]),
    ("a comment may follow punctuation", "a;# b\nc", ["a", ";", "c"]),
    ("a # inside a word is part of it", "a#b", ["a#b"]),
    ("a quoted string is one token", '"a b" c', ["a b", "c"]),
    ("single quotes work as well", "'a \"b\"' c", ['a "b"', "c"]),
    ("a quote inside a word is part of it", "it's so", ["it's", "so"]),
    ("punctuation and # mean nothing in quotes", '"a # {b};"', ["a # {b};"]),
    ("escapes of quotes and backslashes", r'"a\"b\\c"', ['a"b\\c']),
    ("escapes of control characters", r'"\b\f\n\r\t"', ["\b\f\n\r\t"]),
    ("escapes of characters by number", r'"\u00e9\u0041"', ["éA"]),
    ("a character that JSON writes as two halves", r'"\ud83c\udf89\uD83C\uDF89"', ["🎉🎉"]),
    ("an unknown escape is the character itself", r'"\x\q"', ["xq"]),
    ("a backslash at the end joins lines", "a \\\n b", ["a", "b"]),
    ("blanks may follow the joining backslash", "a\\ \t\r\nb", ["a", "b"]),
    ("a backslash elsewhere is a character", r"^a\.b$", [r"^a\.b$"]),
    ("line ends of DOS", "a;\r\nb;\r\n", ["a", ";", "b", ";"]),
    ("operators of flow are words", "[ >8080&<8088 =3128 ]", ["[", ">8080&<8088", "=3128", "]"]),
    ("an empty string is a token", '""', [""]),
    ("nothing", " \n\t", []),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_is_cut_into_tokens(text: str, expected: list[str]) -> None:
    assert [token.text for token in scan(text)] == expected


COMMANDS = [
    ("a line", "announce route 10.0.0.0/8 next-hop self\n", ["announce", "route", "10.0.0.0/8", "next-hop", "self"]),
    ("brackets without spaces", "community [65001:1,65001:2]", ["community", "[", "65001:1", ",", "65001:2", "]"]),
    ("tabs and runs of blanks", "  a\t\tb  ", ["a", "b"]),
    ("a comment", "# announce", []),
    ("a comment behind blanks", "  # announce", []),
    ("no comment inside the line", "a # b", ["a", "#", "b"]),
    ("no variables", "a ${HOME}", ["a", "$", "{", "HOME", "}"]),
    ("no continuation", "a \\", ["a", "\\"]),
    ("quotes", 'advisory "two words"', ["advisory", "two words"]),
    ("braces of flow", "match { source 10.0.0.0/8; }", ["match", "{", "source", "10.0.0.0/8", ";", "}"]),
    ("an empty line", "", []),
]


@pytest.mark.parametrize(("line", "expected"), [row[1:] for row in COMMANDS], ids=[row[0] for row in COMMANDS])
def test_a_command_is_cut_into_tokens(line: str, expected: list[str]) -> None:
    assert [token.text for token in command_tokens(line)] == expected


def test_tokens_know_their_places() -> None:
    tokens = list(scan('a "b" c\n  d \\\n\te;'))
    assert tokens == [
        Token("a", 1, 1),
        Token("b", 1, 3, True),
        Token("c", 1, 7),
        Token("d", 2, 3),
        Token("e", 3, 2),
        Token(";", 3, 3),
    ]


def test_command_tokens_have_columns_and_no_line() -> None:
    assert command_tokens("a [b") == [Token("a", 0, 1), Token("[", 0, 3), Token("b", 0, 4)]


def test_variables_are_replaced_in_unquoted_words_only() -> None:
    text = "${A} x${A}y \"${A}\" '${A}' $A $"
    tokens = list(scan(text, environment={"A": "a b;"}))
    assert [token.text for token in tokens] == ["a b;", "xa b;y", "${A}", "${A}", "$A", "$"]
    assert tokens[0].quoted


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('ab "cd', 4, 'the string that begins here has no closing "'),
        ("ab 'cd\ne'", 4, "the string that begins here has no closing '"),
        ("ab ${NO}", 4, "the environment variable NO is not set"),
        ("ab ${1x}", 4, "'1x' is not the name of an environment variable"),
        ("ab ${}", 4, "'' is not the name of an environment variable"),
        ("ab ${RAW}", 4, "the environment variable RAW is not UTF-8"),
        (r'ab "x\ud83c"', 4, r"\ud83c is half of a character, without its other half"),
        (r'ab "\udf89\ud83c"', 4, r"\udf89 is half of a character, without its other half"),
        (r'ab "\uD83Cx"', 4, r"\ud83c is half of a character, without its other half"),
    ],
)
def test_a_token_that_cannot_be_read_is_an_error_at_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(GrammarError) as caught:
        list(scan(text, environment={"RAW": os.fsdecode(b"a\xff")}))
    assert caught.value.message == message
    assert caught.value.token is not None
    assert (caught.value.token.line, caught.value.token.column) == (1, column)


def test_a_command_with_an_open_string_is_an_error() -> None:
    with pytest.raises(GrammarError, match="no closing"):
        command_tokens('announce "x')

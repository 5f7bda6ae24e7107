"""Cut configuration files and command lines into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from apid.grammar.words import GrammarError, Token, is_unicode

_CONTINUATION = r"\\[ \t\r]*(?:\n|\Z)"
_PLAIN = r"[^\s\[\](),{};\\$]"  # inside a word quotes and '#' stand for themselves
_VARIABLE_OR_DOLLAR = r"\$(?:\{[^{}\s]*\}|(?!\{))"
_MARKS = r"""
      (?P<mark> [\[\](),{};] )
    | (?P<newline> \n )
    | (?P<quoted> "(?: [^"\\\n] | \\. )*" | '(?: [^'\\\n] | \\. )*' )
    | (?P<unterminated> ["'] )
"""
FILE_PATTERN = re.compile(
    rf"""
      (?P<word>
        (?: [^\s\[\](),{{}};\\$"'\#] | (?!{_CONTINUATION})\\ | {_VARIABLE_OR_DOLLAR} )
        (?: {_PLAIN}+ | (?!{_CONTINUATION})\\ | {_VARIABLE_OR_DOLLAR} )*
      )
    | {_MARKS}
    | (?P<unclosed> \$\{{[^{{}};\n]*\}}? )
    | (?P<comment> \#[^\n]* )
    | (?P<continuation> {_CONTINUATION} )
    """,
    re.VERBOSE,
)
_COMMAND = re.compile(rf"(?P<word> [^\s\[\](),{{}};\"'] [^\s\[\](),{{}};]* ) | {_MARKS}", re.VERBOSE)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_VARIABLE = re.compile(r"\$\{([^{}\s]*)\}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def scan(
    text: str,
    start: int = 0,
    end: int | None = None,
    *,
    line: int = 1,
    column: int = 1,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Token]:
    """Yield the tokens of `text[start:end]`, or raise `GrammarError` at a string without an end.

    `line` and `column` are the place of `start`. A quoted string is one token. `#` at the start of a word begins a
    comment, a `\\` at the end of a line joins it to the next. With an `environment`, `${NAME}` in an unquoted word is
    replaced by its value, which is never cut into words; quoted strings stay as they are, because programs in `run`
    may be shell.
    """
    matches = FILE_PATTERN.finditer(text, start, len(text) if end is None else end)
    return _tokens(matches, line, start - column + 1, environment)


def command_tokens(line: str) -> list[Token]:
    """Cut one API line into tokens; a line that starts with `#` is a comment and has none.

    Elsewhere `#`, `$` and a `\\` at the end are ordinary characters. Columns count from 1, the line is 0.
    """
    if line.lstrip().startswith("#"):
        return []
    return list(_tokens(_COMMAND.finditer(line), 0, 0, None))


def _tokens(
    matches: Iterable[re.Match[str]], line: int, line_start: int, environment: Mapping[str, str] | None
) -> Iterator[Token]:
    """Turn matches of a pattern into tokens; `line_start` is the offset where the first line begins."""
    for match in matches:
        kind = match.lastgroup
        if kind == "word":
            word = match.group()
            place = match.start() - line_start + 1
            if environment is not None and "${" in word:
                yield Token(_expand(word, environment, Token(word, line, place)), line, place, True)
            else:
                yield Token(word, line, place)
        elif kind == "mark":
            yield Token(match.group(), line, match.start() - line_start + 1)
        elif kind == "newline" or kind == "continuation":
            line += 1
            line_start = match.end()
        elif kind == "quoted":
            string, place = match.group()[1:-1], match.start() - line_start + 1
            if "\\" in string:
                string = _unescaped(string, Token(match.group(), line, place))
            yield Token(string, line, place, True)
        elif kind == "unterminated":
            token = Token(match.group(), line, match.start() - line_start + 1)
            raise GrammarError(f"the string that begins here has no closing {match.group()}", token)
        elif kind == "unclosed":
            raise _bad_variable(Token(match.group(), line, match.start() - line_start + 1))


def _unescaped(string: str, token: Token) -> str:
    """Replace each escape sequence; what JSON writes as two halves, `\\ud83c\\udf89`, is one character."""
    octets = _ESCAPE.sub(_unescape, string).encode("utf-16-be", "surrogatepass")
    try:
        return octets.decode("utf-16-be")
    except UnicodeDecodeError as error:
        half = octets[error.start : error.start + 2].hex()
        raise GrammarError(f"\\u{half} is half of a character, without its other half", token) from None


def _unescape(match: re.Match[str]) -> str:
    """Give the character, or the half of one, that an escape sequence stands for."""
    code = match.group(1)
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _CONTROL.get(code, code)


def _bad_variable(token: Token) -> GrammarError:
    if token.text.endswith("}"):
        return _no_name(token.text[2:-1], token)
    return GrammarError("the ${ that begins here has no closing }: ${NAME} expected", token)


def _no_name(name: str, token: Token) -> GrammarError:
    return GrammarError(f"'{name}' is not the name of an environment variable", token)


def _expand(word: str, environment: Mapping[str, str], token: Token) -> str:
    """Replace each `${NAME}` by its value, or raise where it has none."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if not _VARIABLE_NAME.fullmatch(name):
            raise _no_name(name, token)
        if name not in environment:
            raise GrammarError(f"the environment variable {name} is not set", token)
        if not is_unicode(environment[name]):
            raise GrammarError(f"the environment variable {name} is not UTF-8", token)
        return environment[name]

    return _VARIABLE.sub(value, word)

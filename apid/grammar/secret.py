"""Lines for a log or a screen, without the keys that they hold."""

from __future__ import annotations

import re

# What looks like the word, too: whoever misspells it still writes a key behind it. A word without a key is matched as
# well, and nothing is tried twice: what is written into a pipe may be one word of 64 KiB that holds it many times.
_WORD = r"\bmd5-?pass\S*+"
_KEY = re.compile(rf"""({_WORD}\s*+)((?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^"';}}\n])+)?""")
_STATEMENT = re.compile(_WORD)
EXPECTED = "one key expected behind md5-password, in quotes where it has blanks"


def without_secrets(line: str) -> str:
    """Return a line with asterisks in place of keys, as many as they have characters: columns stay.

    All words up to the end of the statement may be parts of a key that should stand in quotes.
    """
    return _KEY.sub(lambda found: found[1] + "*" * len(found[2] or ""), line)


def holds_secret(text: str, offset: int) -> bool:
    """Whether the statement at an offset has a key in it, so that none of its words is to be shown."""
    return _STATEMENT.match(text, offset) is not None

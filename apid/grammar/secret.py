"""Lines for a log or a screen, without the keys that they hold."""

from __future__ import annotations

import re

_KEY = re.compile(r'(\bmd5-password\s+)("(?:[^"\\]|\\.)*"?|[^\s;}]+)')


def without_secrets(line: str) -> str:
    """Return a line with asterisks in place of keys, as many as they have characters: columns stay."""
    return _KEY.sub(lambda found: found[1] + "*" * len(found[2]), line)

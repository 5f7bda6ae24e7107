"""The pages, and how the generated parts get into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.docs import commands, configuration, environment, events, routes
from tools.docs.layout import laid_out
from tools.docs.schema import event_schema

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES: dict[str, dict[str, str]] = {
    "docs/reference/configuration.md": configuration.regions(),
    "docs/reference/environment.md": environment.regions(),
    "docs/reference/commands.md": commands.regions(),
    "docs/reference/routes.md": routes.regions(),
    "docs/events.md": events.regions(),
}
"""What is generated for each page, by the name that the page calls it."""
SCHEMA = "docs/events.schema.json"

_REGION = re.compile(r"<!-- generated: ([a-z0-9-]+) -->\n.*?<!-- end -->", re.DOTALL)


class PageError(Exception):
    """A page that asks for what nobody generates, or that leaves out what is generated."""


def filled(text: str, regions: dict[str, str], page: str) -> str:
    """Return a page with its generated parts made anew; raise PageError."""
    missing = set(regions)

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name not in regions:
            raise PageError(f"{page}: nobody generates '{name}': one of {', '.join(sorted(regions))} expected")
        missing.discard(name)
        return f"<!-- generated: {name} -->\n\n{regions[name]}\n\n<!-- end -->"

    result = _REGION.sub(fill, text)
    if missing:
        raise PageError(f"{page}: generated, but not in the page: {', '.join(sorted(missing))}")
    return result


def written() -> Iterator[tuple[Path, str]]:
    """Yield every file with generated parts, and what it should hold."""
    for page, regions in PAGES.items():
        path = ROOT / page
        yield path, filled(path.read_text(encoding="utf-8"), regions, page)
    yield ROOT / SCHEMA, laid_out(event_schema()) + "\n"

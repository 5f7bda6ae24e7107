"""The generated parts of docs/reference/environment.md, from the options of `apid.config.options`."""

from __future__ import annotations

from apid.config.environment import OPTIONS, Option
from apid.config.options import HIDDEN_SECTIONS, OTHER_RELEASES, SYNONYMS
from tools.docs.markdown import code, sentence, table


def _listed() -> list[Option]:
    return [option for _, option in sorted(OPTIONS.items()) if option.section not in HIDDEN_SECTIONS]


def _value(option: Option) -> str:
    written = option.kind.write(option.default).strip("'")
    return code(written) if written else "empty"


def in_effect() -> str:
    """Render the options that do something."""
    return table(
        ("option", "values", "default", "meaning"),
        [
            (code(option.name), code(option.kind.syntax), _value(option), sentence(option.help))
            for option in _listed()
            if not option.reason
        ],
    )


def ignored() -> str:
    """Render the options that are only accepted."""
    return table(
        ("option", "default", "what it means in ExaBGP", "why not here"),
        [
            (code(option.name), _value(option), sentence(option.help), sentence(option.reason))
            for option in _listed()
            if option.reason
        ],
    )


def names() -> str:
    """Render names that stand for others, or for nothing."""
    rows = [(code(name), f"the same as {code(target)}") for name, target in sorted(SYNONYMS.items())]
    rows += [(code(name), "accepted with a warning, means nothing here") for name in sorted(OTHER_RELEASES)]
    return table(("name", ""), rows)


def regions() -> dict[str, str]:
    """Return what stands in the page, by name."""
    return {"options": in_effect(), "options-ignored": ignored(), "options-names": names()}

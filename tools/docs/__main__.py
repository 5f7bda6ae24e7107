"""`python -m tools.docs` writes the generated parts of docs/; with `--check` it tells which of them are old."""

from __future__ import annotations

import click

from tools.docs.pages import ROOT, PageError, written


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where something is not up to date.")
def main(check: bool) -> None:
    """Write the generated parts of the documentation."""
    old = []
    try:
        for path, text in written():
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            old.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(text, encoding="utf-8")
    except PageError as error:
        raise click.ClickException(str(error)) from error
    for name in old:
        click.echo(f"{name}: {'not up to date: run python -m tools.docs' if check else 'written'}")
    if check and old:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

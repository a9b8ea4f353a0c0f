"""The page `reference/commands.md`, written at build time from the command itself (mkdocs hook)."""

import re
from collections.abc import Iterator
from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGE = "reference/commands.md"

HEAD = """# Commands

Every command and option, as `afterscene COMMAND --help` prints them. Commands that compute print
their result as JSON with `--json`; progress bars go to stderr and are silenced by `--quiet` or
`AFTERSCENE_NO_PROGRESS=1`. Bad input ends with one sentence and exit code 2. An option marked
*repeatable* may be given several times.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, PAGE, content=content()))
    return files


def content() -> str:
    """The page in Markdown."""
    from afterscene.cli import app

    return HEAD + "".join(_sections(typer.main.get_command(app), ()))


def _sections(group: Any, path: tuple[str, ...]) -> Iterator[str]:
    for name, command in group.commands.items():
        here = (*path, name)
        if hasattr(command, "commands"):
            yield from _sections(command, here)
        else:
            yield _section(command, here)


def _section(command: Any, path: tuple[str, ...]) -> str:
    name = " ".join(path)
    context = command.context_class(command, info_name=f"afterscene {name}")
    usage = command.get_usage(context).split(maxsplit=1)[1]
    rows = [p.get_help_record(context) for p in command.params if p.name != "help"]
    table = "".join(_row(*row) for row in rows if row)
    head = "| argument or option | meaning |\n|---|---|\n" if table else ""
    return f"\n## {name}\n\n{_plain(command.help)}\n\n```text\n{usage}\n```\n\n{head}{table}"


def _plain(text: str) -> str:
    """Help text as Markdown: nothing in it is taken for HTML."""
    return text.replace("\b", "").replace("<", "&lt;").strip()


def _row(option: str, text: str) -> str:
    """A row of the table; the default and what is required stand in italics behind the text."""
    text = re.sub(r"  \[(.*)\]$", r" *(\1)*", text)
    cells = (cell.replace("|", "\\|") for cell in (f"`{option}`", _plain(text)))
    return f"| {' | '.join(cells)} |\n"

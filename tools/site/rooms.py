"""The pages `reference/python/`, one a room: what mkdocstrings reads in the source (mkdocs hook).

A room is a package or a module directly under `afterscene`. A page has the room's docstring, the
names that the room itself exports, and each of its modules. New ones need no word here.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src" / "afterscene"
FOLDER = "reference/python"
BEHIND = "---\nsearch: {boost: 0.5}\n---\n\n"
"""In a search, pages that people wrote come first."""
HIDDEN = {"__main__", "cli", "commands", "lessons", "tutorials", "weights"}
"""Not for import: what the command is made of, scripts, and folders of data."""


def rooms() -> dict[str, Path]:
    """Each room's file by its name."""
    found = {path.parent.name: path for path in SOURCE.glob("*/__init__.py")}
    found |= {path.stem: path for path in SOURCE.glob("*.py") if path.stem != "__init__"}
    return {name: path for name, path in sorted(found.items()) if name not in HIDDEN}


def modules(room: Path) -> Iterator[str]:
    """Full names of a room's modules, without itself and without private ones."""
    if room.name != "__init__.py":
        return
    for path in sorted(room.parent.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        private = any(part.startswith("_") or part in HIDDEN for part in parts)
        if not private and len(parts) > 2:
            yield ".".join(parts)


def exported(room: Path) -> list[tuple[str, str]]:
    """``(name, full name)`` of what a package imports and lists in ``__all__``."""
    tree = ast.parse(room.read_text("utf-8"))
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    origin = {a.name: f"{node.module}.{a.name}" for node in imports for a in node.names}
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return [(name, origin[name]) for names in listed for name in names if name in origin]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages into the navigation, behind `reference/python/index.md`."""
    pages = [f"{FOLDER}/index.md", *({name: f"{FOLDER}/{name}.md"} for name in rooms())]
    (reference,) = (entry["Reference"] for entry in config.nav if "Reference" in entry)
    reference.append({"Python": pages})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    lines = (f"| [{name}]({name}.md) | {_sentence(path)} |" for name, path in rooms().items())
    index = (HERE / "python.md").read_text("utf-8").replace("ROOMS", "\n".join(lines))
    files.append(File.generated(config, f"{FOLDER}/index.md", content=index))
    for name, path in rooms().items():
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=page(name, path)))
    return files


def page(name: str, path: Path) -> str:
    """The page of a room."""
    below = tuple(modules(path))
    own = "false" if below else "null"
    parts = [
        f"{BEHIND}# afterscene.{name}\n\n::: afterscene.{name}\n    options: {{members: {own}}}\n"
    ]
    link = '<autoref identifier="{1}" optional><code>{0}</code></autoref>'
    if links := [link.format(*names) for names in exported(path)]:
        parts.append(f"From `afterscene.{name}` itself: {', '.join(links)}\n")
    parts += (f"::: {module}\n    options: {{show_root_heading: true}}\n" for module in below)
    return "\n".join(parts)


def _sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.partition("\n")[0]

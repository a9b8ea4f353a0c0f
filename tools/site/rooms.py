"""The pages `reference/python/`, one a room: what mkdocstrings reads in the source (mkdocs hook).

A room is a package or a module directly under `afterscene`. New rooms get their page without a
word here. Docstrings cross-refer with Sphinx's roles; they are made links.
"""

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SOURCE = Path(__file__).resolve().parents[2] / "src" / "afterscene"
FOLDER = "reference/python"
OPTIONS = "{heading_level: 2, show_root_toc_entry: false}"
NOT_FOR_IMPORT = {"__main__", "cli", "weights"}


def rooms() -> dict[str, str]:
    """Each room with the first sentence of its docstring, by name."""
    found = {p.parent.name: p for p in SOURCE.glob("*/__init__.py")}
    found |= {p.stem: p for p in SOURCE.glob("*.py") if p.stem != "__init__"}
    kept = {name: path for name, path in sorted(found.items()) if name not in NOT_FOR_IMPORT}
    return {name: _sentence(path) for name, path in kept.items()}


def _sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.partition("\n")[0]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages into the navigation, behind `reference/python/index.md`."""
    pages = [f"{FOLDER}/index.md", *({name: f"{FOLDER}/{name}.md"} for name in rooms())]
    (reference,) = (entry["Reference"] for entry in config.nav if "Reference" in entry)
    reference.append({"Python": pages})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    lines = [f"| [{name}]({name}.md) | {text} |" for name, text in rooms().items()]
    index = (SOURCE.parents[1] / "tools" / "site" / "python.md").read_text("utf-8")
    index = index.replace("ROOMS", "\n".join(lines))
    files.append(File.generated(config, f"{FOLDER}/index.md", content=index))
    for name in rooms():
        text = f"# afterscene.{name}\n\n::: afterscene.{name}\n    options: {OPTIONS}\n"
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=text))
    return files

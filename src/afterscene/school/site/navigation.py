"""Pages of the course in a site: their order in the navigation, their language (mkdocs hook)."""

import re
from pathlib import Path
from typing import Any

LANGUAGES = {"zh": "中文"}
#: Title of a section -> how the names of its pages begin.
SECTIONS = {"Lessons": r"\d\d_", "Tutorial notebooks": r"t\d_"}
CODES = {"zh": "zh-CN"}  # as HTML names them


def navigation(folder: Path, prefix: str = "") -> list[Any]:
    """The index of ``folder``, then its pages: lessons, tutorials, then other languages."""
    names = sorted(path.name for path in folder.glob("*.md") if not path.name.startswith("index."))
    pages: list[Any] = [f"{prefix}index.md"]
    sections: dict[str, list[str]] = {title: [] for title in SECTIONS}
    for name in names:
        if name.count(".") == 1:
            title = next(t for t, pattern in SECTIONS.items() if re.match(pattern, name))
            sections[title].append(prefix + name)
    for code, language in LANGUAGES.items():
        other = [prefix + name for name in names if name.endswith(f".{code}.md")]
        sections[language] = [f"{prefix}index.{code}.md", *other] if other else []
    return pages + [{title: inside} for title, inside in sections.items() if inside]


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """The page with its own language in its first tag."""
    code = CODES.get(Path(page.file.src_uri).stem.partition(".")[2])
    return output.replace('<html lang="en"', f'<html lang="{code}"', 1) if code else output

"""The lessons under `course/` join the navigation (mkdocs hook).

The pages are made by running the lessons and are no part of the repository. Where none was made,
one page says how to make them, so that the site builds all the same.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

INDEX = "course/index.md"
LANGUAGES = {"zh": "中文"}

MISSING = """# The course

The lessons were not run when this site was made. `make docs` runs them.
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every page of `course/` into the navigation: English first, then other languages."""
    made = sorted((Path(config.docs_dir) / "course").glob("*.md"))
    names = [path.name for path in made if path.name != "index.md"]
    pages = [INDEX, *(f"course/{name}" for name in names if name.count(".") == 1)]
    for code, language in LANGUAGES.items():
        other = [f"course/{name}" for name in names if name.endswith(f".{code}.md")]
        pages += [{language: other}] if other else []
    config.nav.insert(-1, {"Course": pages})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page that stands in for lessons that were not run."""
    if files.get_file_from_path(INDEX) is None:
        files.append(File.generated(config, INDEX, content=MISSING))
    return files

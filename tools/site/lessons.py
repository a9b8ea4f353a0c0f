"""The lessons under `course/`: run where that is asked, and put into the navigation (mkdocs hook).

Their pages are no part of the repository. The variable LESSONS is `small` or `full` to run those
that are new or changed; without it the pages of an earlier run stay as they are. A page that was
never made says how to make it, so that links to a lesson lead somewhere and the site builds.
"""

import os
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import ConfigurationError
from mkdocs.structure.files import File, Files, InclusionLevel

from afterscene.cli.output import Output
from afterscene.school.catalogue import whole_course
from afterscene.school.commands.course import run_lessons
from afterscene.school.markdown import write_pages
from afterscene.school.site.navigation import navigation

INDEX = "course/index.md"
SIZES = ("small", "full")

MISSING = """# {title}

The lessons were not run when this site was made. `make docs LESSONS=full` runs them, a few minutes
each; `LESSONS=small` takes seconds each and shows only that they run.
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Run what is asked, and put the pages of `course/` into the navigation."""
    folder, size = Path(config.docs_dir) / "course", os.environ.get("LESSONS", "")
    if size not in ("", *SIZES):
        raise ConfigurationError(f"LESSONS={size} is not known; choose one of: {', '.join(SIZES)}")
    if size:
        folder.mkdir(exist_ok=True)
        asked, small = whole_course(), size == "small"
        write_pages(run_lessons(asked, folder, small=small, again=False, output=Output()), folder)
    made = (folder / "index.md").is_file()
    config.nav.insert(-1, {"Course": navigation(folder, "course/") if made else [INDEX]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand in for lessons that were not run."""
    titles = {f"course/{x.name}.md": f"{x.number} {x.title}" for x in whole_course()}
    for name, title in {INDEX: "The course", **titles}.items():
        if files.get_file_from_path(name) is None:
            listed = InclusionLevel.INCLUDED if name == INDEX else InclusionLevel.NOT_IN_NAV
            text = MISSING.format(title=title)
            files.append(File.generated(config, name, content=text, inclusion=listed))
    return files

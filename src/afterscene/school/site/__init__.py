"""A folder of Markdown pages as a site, by mkdocs-material: it opens from disk, without a network.

``mkdocs.yml`` holds the settings, ``theme`` what pages need beside the theme's own files,
``formulas`` and ``navigation`` are mkdocs hooks. The repository's own site inherits all of it.
"""

import os
import shutil
import tempfile
from pathlib import Path

from afterscene.school.site.navigation import navigation

SETTINGS = Path(__file__).parent / "mkdocs.yml"


def build_site(pages: Path, out: Path) -> Path:
    """Write the site of the folder ``pages`` into ``out``; returns its first page."""
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # the theme advertises on stderr
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    with tempfile.TemporaryDirectory() as made:
        config = load_config(
            str(SETTINGS), docs_dir=str(pages), site_dir=made, nav=navigation(pages)
        )
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        finally:
            config.plugins.on_shutdown()
        shutil.copytree(made, out, dirs_exist_ok=True)
    return out / "index.html"

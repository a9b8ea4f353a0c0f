"""No page may load anything from elsewhere: the site works without a network (mkdocs hook)."""

import re
from typing import Any

from mkdocs.exceptions import PluginError

LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video)\b[^>]*?\bsrc=["']?(?:https?:)?//"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|icon|preload|preconnect))[^>]*?"""
    r"""\bhref=["']?(?:https?:)?//""",
    re.I,
)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """The page as it is. Raises PluginError where it would load something."""
    if found := LOADS.search(output):
        line = output[found.start() : found.start() + 120]
        raise PluginError(f"{page.file.src_uri} loads from a network: {line}")
    return output

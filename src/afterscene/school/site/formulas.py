r"""Formulas ($...$ and $$...$$ in Markdown) become MathML at build time (mkdocs hook).

A browser shows MathML by itself, so a page loads no script and no font for them.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.S)
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.S)


def on_page_content(text: str, **_: Any) -> str:
    """The page with its formulas converted."""
    text = BLOCK.sub(lambda m: f'<div class="formula">{_mathml(m[1], "block")}</div>', text)
    return INLINE.sub(lambda m: _mathml(m[1], "inline"), text)


def _mathml(formula: str, display: str) -> str:
    return convert(html.unescape(formula).strip(), display=display)

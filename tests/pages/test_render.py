"""Templates: what is filled in is escaped and complete, and no page is made anywhere else."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import afterscene
from afterscene.pages.render import render

SOURCE = Path(afterscene.__file__).parent
#: Lessons are text; hooks of mkdocs amend the pages that it made.
APART = {SOURCE / "school" / name for name in ("lessons", "site", "tutorials")}
TAG = re.compile(r"<(?:!DOCTYPE|html|head|body|div|span|p|a|td|tr|table|figure|img|svg|path)\b")


def test_text_is_escaped_and_numbers_are_figures(tmp_path):
    (tmp_path / "x.html").write_text("{{ a }} {{ b | figure }} {{ c | figure }} {{ d | figure }}")
    made = render("x.html", folder=tmp_path, a='<i title="1">&', b=0.12345, c=1234567, d="<b>")
    assert made == "&lt;i title=&#34;1&#34;&gt;&amp; 0.123 1,234,567 &lt;b&gt;"


def test_a_value_that_is_missing_is_no_empty_place(tmp_path):
    (tmp_path / "x.html").write_text("{{ gone }}")
    with pytest.raises(UndefinedError, match="gone"):
        render("x.html", folder=tmp_path)


def tags_in(path: Path) -> list[str]:
    """Strings of a module with a tag of HTML in them, docstrings left out."""
    tree = ast.parse(path.read_text("utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in docstrings and TAG.search(node.value)
    ]


def test_no_module_makes_a_page_by_itself():
    paths = [path for path in SOURCE.rglob("*.py") if not APART & set(path.parents)]
    assert {str(path): found for path in paths if (found := tags_in(path))} == {}


def test_a_page_made_by_hand_is_found(tmp_path):
    (tmp_path / "x.py").write_text(
        '"""A <div> in words."""\n\n\ndef f(x):\n    return f"<td>{x}"\n'
    )
    assert tags_in(tmp_path / "x.py") == ["<td>"]

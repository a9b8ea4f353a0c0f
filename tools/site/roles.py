"""Sphinx's roles in docstrings (:func: and the like) become links between pages (griffe extension).

A name is looked up as Python would from where it stands; one that no page shows stays plain code.
"""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:mod|func|class|meth|attr|data|obj):`(~?)([^`]+)`")


class Roles(griffe.Extension):
    """Rewrites the docstrings of a package when it has been read."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called by griffe with the whole package."""
        _walk(pkg)


def _walk(found: griffe.Object) -> None:
    if found.docstring:
        found.docstring.value = ROLE.sub(lambda m: _link(found, m), found.docstring.value)
    for member in found.members.values():
        if not member.is_alias:
            _walk(member)  # type: ignore[arg-type]


def _link(where: griffe.Object, match: re.Match[str]) -> str:
    short, name = match.groups()
    text = name.rpartition(".")[2] if short else name.lstrip(".")
    code = f"<code>{text}</code>"
    return f'<autoref identifier="{_path(where, name)}" optional>{code}</autoref>'


def _path(where: griffe.Object, name: str) -> str:
    """The full name of what ``name`` means in a docstring of ``where``."""
    if name.startswith("."):
        package = where.module if where.module.is_package else where.module.parent
        return f"{package.path}{name}"
    try:
        return where.resolve(name)
    except griffe.NameResolutionError:
        return name

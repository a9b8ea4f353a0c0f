"""Names of a package that are imported when first asked for (PEP 562).

A package that names much would else import all of it, where little is needed or installed.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def imported_on_demand(package: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of ``package``; ``where``: each public name, and the module it is in.

    What it returns raises AttributeError for any other name.
    """

    def find(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{where[name]}"), name)

    return find

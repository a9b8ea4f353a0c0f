"""Named things of one role: those of this package, and those that installed packages add.

Another package adds a hazard, for example, by an entry point of the group ``afterscene.hazards``
with the hazard's name and its class; nothing changes here.
"""

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from afterscene.errors import BadParameter, UnknownName

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """An immutable mapping from names to the things of one ``role``, such as ``hazard``.

    Rows come first, in their order, then the entry points of ``afterscene.{role}s`` by name.

    Raises:
        BadParameter: two things have the same name (when it is first read).
    """

    def __init__(self, role: str, rows: Mapping[str, T]) -> None:
        self.role, self._rows = role, dict(rows)

    def find(self, name: str) -> T:
        """The thing with that name. Raises ``UnknownName``, which lists the names."""
        if name not in self:
            raise UnknownName(
                f"{self.role} {name!r} is not known; choose one of: {', '.join(self)}"
            )
        return self[name]

    def _all(self) -> dict[str, T]:
        added = installed(f"afterscene.{self.role}s", tuple(sys.path))
        for name in added:
            if name in self._rows:
                raise BadParameter(f"two {self.role}s are named {name!r}; uninstall one of them")
        return {**self._rows, **added}

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@cache
def installed(group: str, path: tuple[str, ...]) -> dict[str, Any]:
    """What the packages on ``path`` (``sys.path``) add to a group: name -> object, by name."""
    found: dict[str, Any] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        if entry.name in found:
            raise BadParameter(f"two entry points of {group} are named {entry.name!r}")
        found[entry.name] = entry.load()
    return found

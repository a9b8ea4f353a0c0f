"""The figures of README, documents and model cards, each stored once, as records.

Every ``*.json`` in this folder is one measurement: its question, the figures with their intervals,
the number of tiles and their split, how often that split had been scored, the commit, the command
and the caveats. ``make tables`` writes the tables of the documents from them, and the demo shows
one. Figures have the names of ``results.json`` (:mod:`afterscene.lab.results`,
:data:`afterscene.metrics.xview2.FIGURES`) where these exist.

For measurements older than this folder, the commit is the one whose documents first gave the
figures, and the record holds only what these documents say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afterscene.errors import UnknownName

SCHEMA = 1
FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Value:
    """One figure: the mean over seeds where there are several.

    `low` and `high`: ends of the central 95% of the bootstrap; None without one.
    `per_seed`: the figure of each training, in the order of the seeds; empty if not published.
    """

    value: float
    low: float | None = None
    high: float | None = None
    per_seed: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        assert (self.low is None) == (self.high is None), self
        assert self.low is None or self.high is None or self.low <= self.high, self

    @classmethod
    def from_json(cls, said: float | Mapping[str, Any]) -> Value:
        """A bare number, or ``{"value", "low", "high", "per_seed"}``."""
        if isinstance(said, Mapping):
            return cls(**{**said, "per_seed": tuple(said.get("per_seed", ()))})
        return cls(value=said)

    def told(self, form: str = ".3f") -> str:
        """``0.440 (0.354 to 0.479)``; the value alone where there is no interval."""
        return f"{self.value:{form}}" + (f" ({self.span(form)})" if self.low is not None else "")

    def span(self, form: str = ".3f") -> str:
        """``0.354 to 0.479``; empty where there is no interval."""
        return "" if self.low is None else f"{self.low:{form}} to {self.high:{form}}"


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One line of a table: an arm, a model, a network.

    `values` by name of the figure, only those measured. `labels` are texts.
    """

    name: str
    values: Mapping[str, Value]
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> PublishedRow:
        """``{"name", "values", "labels"}``."""
        values = {name: Value.from_json(value) for name, value in said["values"].items()}
        return cls(name=said["name"], values=values, labels=said.get("labels", {}))


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """One measurement, as published.

    title: what was measured, in a few words.
    rows: the figures. best: the row that gains refer to; "" without gains.
    split: the data of the measurement. tiles, buildings, seeds: their numbers; None: not counted.
    opened: versions of this package that had been scored on these tiles, this one included;
        1: the tiles were new to all that was tried. None: nobody counted, or nothing was held out.
    commands: what to run to measure it again, in this order. XBD, OTHER: folders of pairs.
    commit, date: when (ISO) and with which code.
    machine: on what it ran, where that matters, else "".
    caveats: what a reader of the figure has to know, a sentence each; shown wherever it is shown.
    """

    title: str
    rows: tuple[PublishedRow, ...]
    commands: tuple[str, ...]
    commit: str
    date: str
    split: str = ""
    tiles: int | None = None
    buildings: int | None = None
    seeds: int | None = None
    opened: int | None = None
    best: str = ""
    machine: str = ""
    caveats: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> PublishedResult:
        """The values of a file; ``schema`` is told from its other fields."""
        own = {name: value for name, value in said.items() if name != "schema"}
        for name in ("commands", "caveats"):
            own[name] = tuple(own.get(name, ()))
        return cls(**{**own, "rows": tuple(PublishedRow.from_json(row) for row in said["rows"])})

    def row(self, name: str) -> PublishedRow:
        """The row of that name. Raises UnknownName, which lists the names."""
        for row in self.rows:
            if row.name == name:
                return row
        names = ", ".join(row.name for row in self.rows)
        raise UnknownName(f"{self.title!r} has no row {name!r}; choose one of: {names}")


def published_names() -> list[str]:
    """The names of all published results, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def published(name: str) -> PublishedResult:
    """The published result of that name, such as ``unseen-wind``.

    Raises UnknownName, which lists the names.
    """
    names = published_names()
    if name not in names:
        raise UnknownName(
            f"published result {name!r} is not known; choose one of: {', '.join(names)}"
        )
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    return PublishedResult.from_json(json.loads(text))

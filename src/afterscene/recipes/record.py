"""What a run was trained on, as it is written into its folder.

A run is defined by its config and its data. ``data.json`` in its folder names each pair with a hash
of its pixels and labels, so that a run is never resumed with other data; it also names the tiles
that the initial model had seen, so that the resulting model names every tile it was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afterscene.errors import BadParameter, BadWeights
from afterscene.files import write_json
from afterscene.geodata.leftout import LeftOut

DATA = "data.json"


@dataclass(frozen=True, kw_only=True)
class Data:
    """The pairs of a run, decoded.

    Attributes:
        train, validation: In the form that the trainer uses.
        contents: ``train`` and ``validation`` -> name of a pair -> hash of its pixels and labels.
        sources: Names of the real tiles that synthetic pairs were made from.
        held_out: Names of the tiles that must not be trained on.
        leaks: A sentence for each pair that would have leaked, and was left out.
        left_out: Counts of what else was not used, by reason.
    """

    train: Sequence[Any]
    validation: Sequence[Any]
    contents: Mapping[str, Mapping[str, str]]
    sources: Sequence[str]
    held_out: frozenset[str]
    leaks: Sequence[str]
    left_out: LeftOut = field(default_factory=LeftOut)


def write_data(run: Path, data: Data, before: Sequence[str] | None) -> None:
    """Record the data of a run, and the tiles that the initial model had seen."""
    run.mkdir(parents=True, exist_ok=True)
    write_json(run / DATA, {**data.contents, "sources": data.sources, "inherited": before})


def check_data(run: Path, data: Data) -> None:
    """Raise BadParameter if the data of a run are not those that it was started with."""
    old = _read(run)
    told = [
        words
        for name, new in data.contents.items()
        for words in _differences(name, old.get(name, {}), new)
    ]
    if told:
        raise BadParameter(
            f"{run} was started with other data ({'; '.join(told)}); resume it with the same, or "
            f"start a new run in another folder with --init {run / 'model'}"
        )


def _differences(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    changed = {pair for pair in old.keys() & new.keys() if old[pair] != new[pair]}
    kinds = {"more": new.keys() - old.keys(), "missing": old.keys() - new.keys(), "other": changed}
    return [
        f"{name}: {len(pairs)} {word}, such as {min(pairs)}"
        for word, pairs in kinds.items()
        if pairs
    ]


def tiles_of(run: Path) -> list[str] | None:
    """Names of all pairs that the weights of a run were trained on; None if that is unknown."""
    said = _read(run)
    before = said["inherited"]
    return None if before is None else sorted({*before, *said["train"], *said["sources"]})


def _read(run: Path) -> dict[str, Any]:
    path = run / DATA
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadWeights(
            f"{path} does not say what the run was trained on ({error}); start a new run with "
            f"--init {run / 'model'}"
        ) from error

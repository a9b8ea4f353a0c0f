"""What a run learns from: decoded once, held against what is held out, and written down.

A run is its config and its data. ``data.json`` in its folder names each pair with a hash of what is
learned from it, so that a run never goes on with other data than it began with; and it names the
tiles that the models it began with had seen, so that the model it leaves names all it ever saw.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from afterscene import shipped
from afterscene.errors import BadParameter, BadWeights
from afterscene.files import write_json
from afterscene.geodata.leaks import Fingerprint, apart, check_history, check_leaks
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.xbd import XbdTree

DATA = "data.json"
#: Splits that nothing is learned from, where a tree has them.
HELD_OUT = ("val", "test")


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where the pairs of a run come from.

    Attributes:
        root: xBD tree.
        split: Its split to learn from; None: all of it.
        validation: Its split that decides thresholds and gives the logged validation loss.
        synthetic: Folders of synthetic pairs to learn from as well.
        skip: Leave out and name what would leak into a held-out split, instead of ending there.
    """

    root: Path
    split: str | None = "train"
    validation: str | None = None
    synthetic: tuple[Path, ...] = ()
    skip: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    """One decoded pair, what the trainer takes of it, and what the leak guard compares.

    ``source``: the real tile that a synthetic pair was made from, where that is known.
    """

    item: Any
    pair: LabelledPair
    fingerprint: Fingerprint
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Data:
    """The pairs of a run, decoded.

    Attributes:
        train, validation: As the trainer takes them.
        contents: ``train`` and ``validation`` -> name of a pair -> hash of its pixels and labels.
        sources: Names of the real tiles that synthetic pairs were made from.
        held_out: Names of the tiles that nothing may have been learned from.
        left_out: A sentence for each pair that would have leaked.
    """

    train: Sequence[Any]
    validation: Sequence[Any]
    contents: Mapping[str, Mapping[str, str]]
    sources: Sequence[str]
    held_out: frozenset[str]
    left_out: Sequence[str]


def read_data(kind: ModuleType, folders: Folders) -> Data:
    """Decode the pairs; those of the held-out splits that are no validation pairs are hashed alone.

    Raises:
        LeakFound: a pair is, lies within a kilometre of, or looks like a held-out one.
        AftersceneError: a pair cannot be used, by the leaf that fits.
    """
    tree = XbdTree(folders.root)
    others = {split for split in HELD_OUT if split in tree.splits}
    others -= {folders.split, folders.validation}
    tested = [pair.fingerprint for split in sorted(others) for pair in tree.pairs(split)]
    if not folders.skip:  # before the long work of decoding
        held = tree.pairs(folders.validation) if folders.validation else []
        known = [*(pair.fingerprint for pair in held), *tested]
        learned = [pair.fingerprint for pair in tree.pairs(folders.split)]
        check_leaks(learned, known, pictures=False)
    train, validation = kind.load_data(tree, folders)
    validation, first = _kept(validation, tested, folders)
    held_out = [*(part.fingerprint for part in validation), *tested]
    train, second = _kept(train, held_out, folders)
    return Data(
        train=[part.item for part in train],
        validation=[part.item for part in validation],
        contents={"train": _contents(train), "validation": _contents(validation)},
        sources=sorted({part.source for part in train} - {""}),
        held_out=frozenset(tile.id for tile in held_out),
        left_out=(*first, *second),
    )


def _kept(
    parts: Sequence[Part], held_out: Sequence[Fingerprint], folders: Folders
) -> tuple[list[Part], list[str]]:
    kept, why = apart([part.fingerprint for part in parts], held_out, skip=folders.skip)
    return [parts[index] for index in kept], [f"left out: {words}" for words in why]


def _contents(parts: Iterable[Part]) -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)  # two folders may have a pair of one name
    for part in parts:
        found[part.fingerprint.id] += "".join(own[:16] for own in part.pair.pixel_hashes)
    return dict(found)


def inherited(model: Path, held_out: frozenset[str]) -> list[str] | None:
    """Names of the tiles that a model has seen; None where it does not say.

    Raises:
        LeakFound: it has seen a tile that is held out.
    """
    seen = shipped.seen(model)
    check_history(model, seen or (), held_out)
    return None if seen is None else sorted(seen)


def write_data(run: Path, data: Data, before: Sequence[str] | None) -> None:
    """Write down what a run learns from, and what the models had seen that it began with."""
    run.mkdir(parents=True, exist_ok=True)
    write_json(run / DATA, {**data.contents, "sources": data.sources, "inherited": before})


def check_data(run: Path, data: Data) -> None:
    """Raise BadParameter where the data of a run are not those that it began with."""
    old = _read(run)
    told = [
        words
        for name, new in data.contents.items()
        for words in _differences(name, old.get(name, {}), new)
    ]
    if told:
        raise BadParameter(
            f"{run} was started with other data ({'; '.join(told)}); resume it with its own, or "
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
    """Names of all pairs that the weights of a run learned from; None where that is not known."""
    said = _read(run)
    before = said["inherited"]
    return None if before is None else sorted({*before, *said["train"], *said["sources"]})


def _read(run: Path) -> dict[str, Any]:
    path = run / DATA
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadWeights(
            f"{path} does not say what the run learned from ({error}); start a new run with "
            f"--init {run / 'model'}"
        ) from error

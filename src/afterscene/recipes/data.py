"""The training data of a run: decoded once and checked against held-out tiles.

:mod:`.record` writes down what was found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from afterscene import shipped
from afterscene.geodata.leaks import Fingerprint, apart, check_history, check_leaks
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.recipes.record import Data

#: Splits that are never trained on, if a tree has them.
HELD_OUT = ("val", "test")


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where the pairs of a run come from.

    Attributes:
        roots: xBD trees, at least one.
        split: The split of each to train on; None: all of it.
        validation: The split that decides thresholds and gives the logged validation loss; a tree
            that has none gives nothing to it.
        synthetic: Folders of synthetic pairs to train on as well.
        skip: Leave out and name pairs that would leak into a held-out split, instead of stopping.
    """

    roots: tuple[Path, ...]
    split: str | None = "train"
    validation: str | None = None
    synthetic: tuple[Path, ...] = ()
    skip: bool = False

    def validates(self, tree: XbdTree) -> bool:
        """Whether one of the trees gives pairs for validation; a single tree must."""
        alone = len(self.roots) == 1
        return self.validation is not None and (alone or self.validation in tree.splits)

    def validating(self, tree: XbdTree, left_out: LeftOut | None = None) -> list[Pair]:
        """The validation pairs of one of the trees; others are counted. Raises UnknownName."""
        return tree.pairs(self.validation, left_out) if self.validates(tree) else []

    def tested(self, tree: XbdTree) -> list[Pair]:
        """The pairs of one of the trees that are neither trained on nor for validation."""
        others = {split for split in HELD_OUT if split in tree.splits}
        others -= {self.split, self.validation}
        return [pair for split in sorted(others) for pair in tree.pairs(split)]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One decoded pair, what the trainer uses of it, and what the leak guard compares.

    ``source``: the real tile that a synthetic pair was made from, if it is known.
    """

    item: Any
    pair: LabelledPair
    fingerprint: Fingerprint
    source: str = ""


def read_data(kind: ModuleType, folders: Folders) -> Data:
    """Decode the pairs; held-out pairs that are not for validation are only hashed.

    Raises:
        LeakFound: a pair is a held-out one, is within a kilometre of one, or looks like one.
        AftersceneError: a pair cannot be used; the class says why.
    """
    trees = [XbdTree(root) for root in folders.roots]
    tested = [pair.fingerprint for tree in trees for pair in folders.tested(tree)]
    if not folders.skip:  # before the slow decoding
        held = [pair.fingerprint for tree in trees for pair in folders.validating(tree)]
        learned = [pair.fingerprint for tree in trees for pair in tree.pairs(folders.split)]
        check_leaks(learned, [*held, *tested], pictures=False)
    left_out = LeftOut()
    train, validation = _decoded(kind, trees, folders, left_out)
    validation, first = _kept(validation, tested, folders)
    held_out = [*(part.fingerprint for part in validation), *tested]
    train, second = _kept(train, held_out, folders)
    return Data(
        train=[part.item for part in train],
        validation=[part.item for part in validation],
        contents={"train": _contents(train), "validation": _contents(validation)},
        sources=sorted({part.source for part in train} - {""}),
        held_out=frozenset(tile.id for tile in held_out),
        leaks=(*first, *second),
        left_out=left_out,
    )


def _decoded(
    kind: ModuleType, trees: Sequence[XbdTree], folders: Folders, left_out: LeftOut
) -> tuple[list[Part], list[Part]]:
    """The pairs to train on, real ones and then synthetic ones, and those for validation."""
    both = [kind.load_data(tree, folders, left_out) for tree in trees]
    train = [part for first, _ in both for part in first]
    for folder in folders.synthetic:
        train += kind.synthetic_parts(folder, left_out)
    return train, [part for _, second in both for part in second]


def _kept(
    parts: Sequence[Part], held_out: Sequence[Fingerprint], folders: Folders
) -> tuple[list[Part], list[str]]:
    kept, why = apart([part.fingerprint for part in parts], held_out, skip=folders.skip)
    return [parts[index] for index in kept], [f"left out: {words}" for words in why]


def _contents(parts: Iterable[Part]) -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)  # two folders may have a pair with the same name
    for part in parts:
        found[part.fingerprint.id] += "".join(own[:16] for own in part.pair.pixel_hashes)
    return dict(found)


def inherited(model: Path, held_out: frozenset[str]) -> list[str] | None:
    """Names of the tiles that a model has seen; None if it does not say.

    Raises:
        LeakFound: it has seen a tile that is held out.
    """
    seen = shipped.seen(model)
    check_history(model, seen or (), held_out)
    return None if seen is None else sorted(seen)

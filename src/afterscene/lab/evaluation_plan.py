"""What a generator is evaluated on: a split with real levels, and real pairs to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from afterscene.errors import BadParameter, MissingFile
from afterscene.geodata.leaks import check_history
from afterscene.geodata.pair import LabelledPair, read_pair
from afterscene.geodata.xbd import Pair, XbdTree

#: stage(label, total) -> a context that yields a function to call with the number just done.
Stage = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
TRAIN = "train"
Each = TypeVar("Each")


def silent(label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """A stage without output."""
    del label, total
    return nullcontext(lambda _: None)


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What is evaluated.

    Attributes:
        xbd: Folder in xBD layout.
        split: Split that gives the requested levels; nothing may have been tuned on it.
        limit: Number of tiles, spread evenly over the split by id; None: all.
        seed: Each tile's own seed is a function of this one and the tile's id.
        seams: Also draw one tile of the split in several windows.
        skip: Leave out tiles that a model was trained on, instead of stopping.
        without: Tiles to leave out (see :func:`held_out`).
    """

    xbd: Path
    split: str
    limit: int | None = None
    seed: int = 0
    seams: bool = False
    skip: bool = False
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise BadParameter(f"limit {self.limit} leaves no tile; give at least 1")


@dataclass(frozen=True, kw_only=True)
class RealPairs:
    """The real pairs of an evaluation; each file is decoded once.

    Attributes:
        asked: Pairs whose levels are requested; in memory (9 MB per 1024 x 1024 pair).
        training: ``count`` labelled pairs of the split ``train`` for the baselines: read one by
            one, once.
    """

    asked: Sequence[LabelledPair]
    training: Iterable[LabelledPair]
    count: int

    @classmethod
    def of(cls, plan: EvaluationPlan, *, stage: Stage = silent) -> RealPairs:
        """Read the pairs of the plan.

        Raises:
            MissingFile, UnknownName, BadImage, BadLabel: see the readers.
        """
        tree = XbdTree(plan.xbd)
        asked, pairs = [], evaluated_pairs(tree, plan)
        with stage("read evaluated pairs", len(pairs)) as advance:
            for pair in pairs:
                asked.append(read_pair(pair))
                advance(1)
        found = _labelled(tree.pairs(TRAIN)) if TRAIN in tree.splits else []
        return cls(asked=asked, training=map(read_pair, found), count=len(found))


def _labelled(pairs: Iterable[Pair]) -> list[Pair]:
    return [p for p in pairs if p.post is not None and p.post_label is not None]


def evaluated_pairs(tree: XbdTree, plan: EvaluationPlan) -> list[Pair]:
    """The pairs of the split with post image and label, thinned evenly to the limit.

    Raises:
        MissingFile: there is none.
    """
    found = [p for p in tree.pairs(plan.split) if p.id not in plan.without]
    pairs = _labelled(found)
    if not pairs:
        raise MissingFile(
            f"{tree.root}: split {plan.split!r} has no pair with a post image and its label; "
            "check the folder"
        )
    return thinned(pairs, plan.limit)


def held_out(plan: EvaluationPlan, seen: Mapping[str, Iterable[str] | None]) -> EvaluationPlan:
    """The plan without the tiles that a model was trained on; ``seen``: model name to tiles.

    Raises:
        LeakFound: there are such tiles and ``plan.skip`` is False, or a model has no list of tiles.
    """
    ids = {pair.id for pair in XbdTree(plan.xbd).pairs(plan.split)}
    without: set[str] = set()
    for model, tiles in seen.items():
        check_history(model, tiles, () if plan.skip else ids)
        without |= ids.intersection(tiles or ())
    return replace(plan, without=frozenset(without))


def thinned(pairs: Sequence[Each], limit: int | None) -> list[Each]:
    """At most ``limit`` of the pairs, spread evenly; None: all."""
    if limit is None or limit >= len(pairs):
        return list(pairs)
    return [pairs[k] for k in np.linspace(0, len(pairs) - 1, limit).round().astype(int)]

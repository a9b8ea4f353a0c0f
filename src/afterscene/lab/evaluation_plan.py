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

#: stage(what, how many) -> a context that yields "so many more are done".
Stage = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
TRAIN = "train"
Each = TypeVar("Each")


def silent(label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """A stage that tells nobody."""
    del label, total
    return nullcontext(lambda _: None)


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What is evaluated.

    Attributes:
        xbd: Folder in xBD's layout.
        split: Its split with the asked levels; never one that anything was tuned on.
        limit: So many tiles, evenly spread over the split by id; None: all.
        seed: Of the pictures; a tile's own seed is a function of it and the tile's id.
        seams: Render one tile of the split again in several windows.
        skip: Leave out tiles that a model has seen, instead of ending there.
        without: Tiles that are left out (see :func:`held_out`).
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
    """The real pairs of an evaluation; each file of them is decoded once.

    Attributes:
        asked: Their levels are asked of the generator; in memory (9 MB a 1024 x 1024 pair).
        training: ``count`` labelled pairs of the split ``train`` for the baselines: read one by
            one, once.
    """

    asked: Sequence[LabelledPair]
    training: Iterable[LabelledPair]
    count: int

    @classmethod
    def of(cls, plan: EvaluationPlan, *, stage: Stage = silent) -> RealPairs:
        """Read those that are asked.

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
    """The pairs of the split that have post image and label, evenly thinned to the limit.

    Raises:
        MissingFile: none has both.
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
    """The plan without the tiles of its split that a model has seen; ``seen`` by its name.

    Raises:
        LeakFound: there are some, and ``plan.skip`` is not said; or a model does not say.
    """
    ids = {pair.id for pair in XbdTree(plan.xbd).pairs(plan.split)}
    without: set[str] = set()
    for model, tiles in seen.items():
        check_history(model, tiles, () if plan.skip else ids)
        without |= ids.intersection(tiles or ())
    return replace(plan, without=frozenset(without))


def thinned(pairs: Sequence[Each], limit: int | None) -> list[Each]:
    """At most ``limit`` of the pairs, evenly spread; None: all."""
    if limit is None or limit >= len(pairs):
        return list(pairs)
    return [pairs[k] for k in np.linspace(0, len(pairs) - 1, limit).round().astype(int)]

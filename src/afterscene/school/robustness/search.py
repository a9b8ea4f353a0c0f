"""The worst spelling within a budget, found without looking into the model.

Words are ranked by how much leaving them out changes the measured figure; the chosen word is then
misspelt at random, again and again, and the spelling with the largest effect is kept and misspelt
further (greedy; Gao et al. 2023, arXiv 2306.13103). The budget is a share of the word's letters.
Only the figure is known: ``measure(prompt)`` may draw pictures and assess them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from afterscene.errors import BadParameter
from afterscene.school.robustness.attacks import Attack, edit_distance

Measure = Callable[[str], float]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The worst prompt found, its figure, that of the clean prompt, and how many were tried."""

    prompt: str
    spelling: str
    figure: float
    clean: float
    tried: int

    @property
    def change(self) -> float:
        """Figure of the attacked prompt minus that of the clean one."""
        return self.figure - self.clean


def rank_words(prompt: str, measure: Measure) -> list[tuple[str, float]]:
    """Each word with the change that leaving it out makes, the strongest first."""
    clean, words = measure(prompt), prompt.split()
    changes = [
        (word, measure(" ".join([*words[:k], *words[k + 1 :]])) - clean)
        for k, word in enumerate(words)
    ]
    return sorted(changes, key=lambda pair: -abs(pair[1]))


def worst_case(
    prompt: str,
    word: str,
    attack: Attack,
    measure: Measure,
    rng: np.random.Generator,
    *,
    budget: float = 0.3,
    tries: int = 8,
) -> Found:
    """The spelling of ``word`` in ``prompt`` that moves ``measure`` furthest from the clean figure.

    Args:
        budget: largest edit distance to the word, as a share of its letters (at least one edit).
        tries: spellings that are measured in each round; rounds go on while the budget allows.

    Raises:
        BadParameter: the word does not stand in the prompt, or no try is allowed.
    """
    if word not in prompt.split() or tries < 1:
        raise BadParameter(f"'{word}' is not a word of the prompt '{prompt}', or tries is below 1")
    allowed = max(1, int(budget * len(word)))
    clean = measure(prompt)
    best = Found(prompt=prompt, spelling=word, figure=clean, clean=clean, tried=0)
    seen = {word}
    for _ in range(allowed):
        candidates = [
            s
            for s in attack.variants(best.spelling)
            if s not in seen and edit_distance(s, word) <= allowed
        ]
        picks = rng.permutation(len(candidates))[:tries]
        start = best
        for spelling in (candidates[k] for k in picks):
            seen.add(spelling)
            attacked = _put(prompt, word, spelling)
            figure = measure(attacked)
            better = abs(figure - clean) > abs(best.change) or best.tried == 0
            best = Found(
                prompt=attacked if better else best.prompt,
                spelling=spelling if better else best.spelling,
                figure=figure if better else best.figure,
                clean=clean,
                tried=best.tried + 1,
            )
        if best.spelling == start.spelling:
            break
    return best


def _put(prompt: str, word: str, spelling: str) -> str:
    return " ".join(spelling if part == word else part for part in prompt.split())

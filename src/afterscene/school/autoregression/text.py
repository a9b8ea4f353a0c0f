"""Predict the next character from those before it: the rule of next pixel, for a text.

A character becomes a vector, its place another one; blocks of causal self-attention let each place
look at the earlier ones (Vaswani et al. 2017, arXiv 1706.03762), and a linear map gives a
probability for each character that may come next. This is GPT-2 (Radford et al. 2019) with a
hundred-thousandth of its weights. As with pixels, all places learn at once, the likelihood is
exact, and drawing goes one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.errors import BadParameter
from afterscene.networks.transformer import TransformerBlock, init_tokens_
from afterscene.school.autoregression import pixels


class Alphabet:
    """The characters of some texts, by number; the first is the line break, which ends a text."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.characters = ["\n", *sorted(set("".join(texts)) - {"\n"})]
        self._number = {character: k for k, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Tensor:
        """``(L,)`` int64. Raises ``BadParameter`` at a character that the texts do not have."""
        unknown = sorted(set(text) - set(self._number))
        if unknown:
            raise BadParameter(f"{unknown} are not in the texts; build the alphabet from all texts")
        return torch.tensor([self._number[character] for character in text])

    def decode(self, tokens: Tensor) -> str:
        """The text of ``(L,)``."""
        return "".join(self.characters[k] for k in tokens.tolist())

    def rows(self, texts: Sequence[str], length: int) -> Tensor:
        """``(M, length)`` int64: a line break, a text, line breaks; texts too long are cut."""
        return torch.stack(
            [self.encode(("\n" + text).ljust(length, "\n")[:length]) for text in texts]
        )


@dataclass(frozen=True, kw_only=True)
class NextTokenConfig:
    """Sizes of a :class:`NextToken`: ``tokens`` known, at most ``context`` of them in a row."""

    tokens: int
    context: int = 96
    width: int = 64
    depth: int = 2
    heads: int = 4

    def __post_init__(self) -> None:
        if min(self.tokens, self.context) < 2 or min(self.depth, self.heads) < 1:
            raise BadParameter("tokens and context must be at least 2, depth and heads 1")


class NextToken(nn.Module):
    """Texts ``(N, L)`` int64; a text begins after a line break, which is token 0."""

    def __init__(self, config: NextTokenConfig) -> None:
        super().__init__()
        self.config = config
        self.word = nn.Embedding(config.tokens, config.width)
        self.place = nn.Parameter(torch.zeros(config.context, config.width))
        self.blocks = nn.Sequential(
            *(
                TransformerBlock(config.width, config.heads, causal=True)
                for _ in range(config.depth)
            )
        )
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, config.tokens)
        nn.init.trunc_normal_(self.place, std=0.02)
        self.apply(init_tokens_)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the token after each one: ``(N, L) -> (N, L, tokens)``."""
        length = x.shape[1]
        if length > self.config.context:
            raise ValueError(f"at most {self.config.context} tokens in a row, got {length}")
        return self.out(self.norm(self.blocks(self.word(x) + self.place[:length])))

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats of all tokens but the first, given it: ``(N,)``."""
        nats = F.cross_entropy(self(x[:, :-1]).transpose(1, 2), x[:, 1:], reduction="none")
        return -nats.sum(dim=1)

    def loss(
        self, x: Tensor, *, label: Tensor | None = None, rng: np.random.Generator | None = None
    ) -> Tensor:
        """Mean negative log-likelihood in nats per token."""
        return -self.log_prob(x).mean() / (x.shape[1] - 1)

    @torch.no_grad()
    def walk(
        self, count: int, *, length: int, seed: int, temperature: float = 1.0
    ) -> Iterator[Tensor]:
        """Yield ``(count, 1) .. (count, length)``: after a line break, one token more each time."""
        u = pixels.uniforms(seed, count, (length,))
        x = torch.zeros(count, 1, dtype=torch.int64)
        for step in range(length):
            logits = self(x[:, -self.config.context :])[:, -1]
            fresh = pixels.sample_values(logits, u[:, step], temperature)
            x = torch.cat([x, fresh[:, None]], dim=1)
            yield x[:, 1:]

    def sample(self, count: int, **options) -> Tensor:
        """The last state of :meth:`walk`."""
        return pixels.last(self.walk(count, **options))

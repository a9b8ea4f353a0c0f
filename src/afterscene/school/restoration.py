"""A degraded picture, and a diffusion model that is guided by what is left of it.

To degrade here is to average over blocks: the mean colours of the blocks are known, all detail
inside them is lost. A diffusion model that was not trained for this can be guided by it: in each
step its estimate of the picture gets the known means (Choi et al. 2021, arXiv 2108.02938; Wang et
al. 2023, arXiv 2212.00490). It is :class:`afterscene.diffusion.guidance.Keep` for means instead of
pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from afterscene.diffusion.loop import Denoiser
from afterscene.diffusion.schedules import Level
from afterscene.errors import BadParameter


@dataclass(frozen=True, kw_only=True)
class BlockMeans:
    """Each block of ``side`` x ``side`` pixels becomes its mean: ``(N, C, H, W)`` both times."""

    side: int = 4

    def __call__(self, x: Tensor) -> Tensor:
        if x.shape[-1] % self.side or x.shape[-2] % self.side:
            raise BadParameter(
                f"{tuple(x.shape[-2:])} pixels cannot be cut into blocks of {self.side}; "
                "choose a size that is a multiple"
            )
        return F.interpolate(F.avg_pool2d(x, self.side), scale_factor=float(self.side))


@dataclass(frozen=True, kw_only=True)
class Agree:
    """The estimate of x0 with the means of ``given``, which is a picture of blocks."""

    denoiser: Denoiser
    given: Tensor
    means: BlockMeans

    def __call__(self, x: Tensor, t: Level, condition: Any = None) -> Tensor:
        x0 = self.denoiser(x, t, condition)
        return x0 + self.given - self.means(x0)

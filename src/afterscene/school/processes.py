"""A process that the course explains and the product does not use.

The Gaussian chain of the first diffusion model (Sohl-Dickstein et al. 2015, arXiv 1503.03585).
Importing this module registers it beside the samplers of :mod:`afterscene.diffusion.samplers`.
"""

import math
from typing import Any

from torch import Tensor

from afterscene.diffusion.loop import Method, Run, Stepped
from afterscene.diffusion.schedules import Level, posterior
from afterscene.errors import BadParameter


class GaussianChain(
    Method, name="gaussian-chain", order=math.inf, stochastic=True, source="arXiv 1503.03585"
):
    """The 2015 chain: mean and variance by ``denoiser.reverse(x, t, s, condition)``."""

    def step(self, run: Run, x: Tensor, t: Level, s: Level, memory: Any) -> Stepped:
        if not hasattr(run.denoiser, "reverse"):
            raise BadParameter("this denoiser knows no variance; use sampler 'ddpm' instead")
        x0, var = run.denoiser.reverse(x, t, s, run.condition)
        a, b, _ = posterior(t, s)
        return a * x + b * x0 + var.sqrt() * run.draw(x), x0, None

"""Likelihoods against exact ones: a mixture's density, bins of a Gaussian, and the bound above."""

import pytest
import torch

from afterscene.diffusion import likelihood
from afterscene.diffusion.analytic import Mixture
from afterscene.diffusion.schedules import DDPM, EDM, VP, RectifiedFlow

MIXTURE = Mixture(
    means=torch.tensor([[-1.0, 0.5], [0.8, -0.3], [0.1, 1.2]], dtype=torch.float64),
    variances=torch.tensor([[0.05, 0.2], [0.1, 0.1], [0.02, 0.3]], dtype=torch.float64),
    weights=torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64),
)


@pytest.mark.parametrize("schedule", [VP(), EDM(), RectifiedFlow(), DDPM()], ids=repr)
def test_mixture_within_half_a_percent(schedule):
    span = (schedule.level_of(0.01).time, schedule.level_of(60.0).time)
    x = MIXTURE.sample(64, torch.Generator().manual_seed(0)) * schedule.level(span[0]).alpha
    found = likelihood.log_prob(MIXTURE, schedule, x, span=span)
    exact = MIXTURE.log_prob(x, schedule.level(span[0]))
    assert abs(found.mean() / exact.mean() - 1) < 0.005
    assert (found - exact).abs().max() < 0.03


def test_the_prior_is_an_argument():
    """With the exact density at the end the span may be short, and the answer exact."""
    x = MIXTURE.sample(8, torch.Generator().manual_seed(0))
    found = likelihood.log_prob(
        MIXTURE, VP(), x, span=(0.05, 0.3), prior=MIXTURE.log_prob, tolerance=1e-8
    )
    torch.testing.assert_close(found, MIXTURE.log_prob(x, VP().level(0.05)), atol=1e-5, rtol=0)


def test_hutchinson_is_unbiased():
    x = MIXTURE.sample(1, torch.Generator().manual_seed(0)).repeat(400, 1)
    generator = torch.Generator().manual_seed(1)
    probe = torch.randint(0, 2, x.shape, generator=generator).double() * 2 - 1
    args = dict(span=(VP().level_of(0.05).time, 0.9), tolerance=1e-4)
    found = likelihood.log_prob(MIXTURE, VP(), x, divergence=likelihood.hutchinson(probe), **args)
    exact = likelihood.log_prob(MIXTURE, VP(), x[:1], **args)
    assert found.std() > 0
    assert abs(found.mean() - exact.item()) < 4 * found.std() / 20

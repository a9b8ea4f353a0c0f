"""Flow matching and its shortcut against data whose flow is known: white noise of one deviation."""

import numpy as np
import pytest
import torch

from afterscene.diffusion import grids
from afterscene.diffusion.denoisers import Predictor
from afterscene.diffusion.parameterization import Prediction
from afterscene.diffusion.samplers import Euler, sample
from afterscene.diffusion.schedules import RectifiedFlow
from afterscene.errors import BadParameter
from afterscene.school.autoregression import FitConfig, train_steps
from afterscene.school.restoration import Agree, BlockMeans
from afterscene.school.shortcut import (
    Leap,
    agreement_loss,
    flow_loss,
    gaussian_velocity,
    leaps,
    shortcut_loss,
)

STD = 0.4


def white(count, seed=0):
    return STD * torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))


def silent(x, t, span):
    return torch.zeros_like(x)


def test_for_white_noise_any_number_of_steps_ends_at_the_same_picture():
    leap = Leap(silent, STD**2)
    eps = torch.randn(5, 3, 4, 4)
    for steps in (1, 2, 7):
        torch.testing.assert_close(list(leaps(leap, eps, steps))[-1], STD * eps)
    t, tiny = torch.tensor([0.3, 0.9]), torch.full((2,), 1e-3)
    near = gaussian_velocity(t, tiny, STD**2)
    torch.testing.assert_close(near, gaussian_velocity(t, 0 * tiny, STD**2), atol=3e-3, rtol=0)


def test_a_model_whose_steps_agree_pays_nothing_for_it_and_another_does():
    # The shortest halves are the flow's own, so a little is left of one step of 1/32.
    paid = agreement_loss(Leap(silent, STD**2), white(400), np.random.default_rng(0))
    assert paid < 3e-4

    def flow_alone(x, t, span):  # the velocity of here and now, however long the step
        return Leap(silent, STD**2)(x, t, torch.zeros_like(span))

    assert agreement_loss(flow_alone, white(400), np.random.default_rng(0)) > 10 * paid


def test_the_exact_flow_has_the_smallest_loss_and_is_that_of_the_library():
    def loss(variance):
        leap = Leap(silent, variance)
        return flow_loss(leap, white(4000), np.random.default_rng(0)).item()

    assert loss(STD**2) < min(loss(0.5 * STD**2), loss(2 * STD**2))
    leap, eps = Leap(silent, STD**2), torch.randn(3, 3, 4, 4)
    denoiser = Predictor(
        lambda x, clock, _: leap(x, clock, torch.zeros_like(clock)), Prediction.VELOCITY
    )
    drawn = sample(denoiser, RectifiedFlow(), eps, grids.uniform(200), Euler())
    torch.testing.assert_close(drawn, STD * eps, atol=0.02, rtol=0)


class Table(torch.nn.Module):
    """A network that knows nothing but the place: its answer is one number a pixel and span."""

    def __init__(self):
        super().__init__()
        self.at = torch.nn.Parameter(torch.zeros(2, 3, 4, 4))

    def forward(self, x, t, span):
        return self.at[0] + span[:, None, None, None] * self.at[1]


def test_the_shortcut_learns_the_step_that_leads_to_the_mean():
    """Data of one picture: every line ends there, so the velocity is the same on all of the way."""
    mean = torch.linspace(-1, 1, 48).view(1, 3, 4, 4)
    torch.manual_seed(0)
    table = Table()
    leap = Leap(table, 1e-4)
    config = FitConfig(steps=150, batch=32, lr=0.1)
    list(
        train_steps(
            leap,
            mean.expand(8, -1, -1, -1),
            config,
            loss=lambda x, _, rng: shortcut_loss(leap, x, rng),
        )
    )
    drawn = list(leaps(leap, torch.zeros(1, 3, 4, 4), 1))[-1]
    assert (drawn - mean).abs().max() < 0.3


def test_block_means_are_known_and_kept():
    means = BlockMeans(side=2)
    x = torch.rand(2, 3, 4, 6)
    given = means(x)
    torch.testing.assert_close(means(given), given)
    torch.testing.assert_close(given[..., :2, :2].amax((2, 3)), x[..., :2, :2].mean((2, 3)))
    held = Agree(denoiser=lambda x, t, condition: x * condition, given=given, means=means)
    answer = held(torch.rand(2, 3, 4, 6), None, 0.7)
    torch.testing.assert_close(means(answer), given)
    torch.testing.assert_close(held(x, None, 1.0), x)
    with pytest.raises(BadParameter, match="blocks of 2"):
        means(torch.rand(1, 3, 5, 4))

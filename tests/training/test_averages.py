"""Averages of any length out of stored ones (EDM2): against the definition, summed step by step."""

import numpy as np
import pytest
import torch

from afterscene.errors import BadParameter, BadWeights, MissingFile
from afterscene.training.averages import (
    LENGTHS,
    Profile,
    Tracks,
    combination,
    follow,
    gamma_of,
    inner,
    power_ema_decay,
    reconstruct,
    snapshots,
)

STEPS = 400


def weights(step: int) -> dict[str, torch.Tensor]:
    """A trajectory that bends, jitters and counts."""
    rng = np.random.default_rng(step)
    path = np.array([np.sin(step / 60), step / STEPS, np.exp(-step / 90)]) + rng.normal(0, 0.1, 3)
    return {"w": torch.tensor(path, dtype=torch.float32), "seen": torch.tensor(step)}


def profile(gamma: float, steps: int) -> np.ndarray:
    """Share of each step in the average: the integral of the power over the step's interval."""
    edges = (np.arange(steps + 1) / steps) ** (gamma + 1)
    return np.diff(edges)


@pytest.mark.parametrize("length", [0.02, 0.05, 0.1, 0.2, 0.28])
def test_the_length_is_the_deviation_of_the_profile(length):
    gamma = gamma_of(length)
    share, place = profile(gamma, 20_000), (np.arange(20_000) + 0.5) / 20_000
    assert np.sqrt(share @ place**2 - (share @ place) ** 2) == pytest.approx(length, rel=1e-3)


@pytest.mark.parametrize("length", [0.0, 0.29, -1.0, float("nan")])
def test_a_length_that_no_power_function_has_is_refused(length):
    with pytest.raises(BadParameter, match="length"):
        gamma_of(length)


def test_the_running_update_is_the_weighted_sum_by_its_definition():
    gamma, average = 7.0, {"w": torch.zeros(3), "seen": torch.tensor(0)}
    for step in range(50):
        follow(average, weights(step), power_ema_decay(step, gamma))
    direct = sum(s * weights(k)["w"].double() for k, s in enumerate(profile(gamma, 50)))
    torch.testing.assert_close(average["w"].double(), direct, atol=1e-5, rtol=0)
    assert average["seen"] == 49


def test_inner_products_are_the_integrals():
    a, b = Profile(6.9, 300), Profile(17.0, 400)
    grid = (np.arange(400_000) + 0.5) / 1000

    def density(p):
        return np.where(grid < p.step, (p.gamma + 1) / p.step * (grid / p.step) ** p.gamma, 0)

    direct = (density(a) * density(b)).sum() / 1000
    assert inner(a, b) == pytest.approx(direct, rel=1e-4) == inner(b, a)


def test_a_stored_average_is_found_again():
    stored = [Profile(gamma_of(own), step) for step in (100, 200, 300) for own in LENGTHS]
    parts, missed = combination(stored, stored[-1])
    assert missed < 1e-5
    np.testing.assert_allclose(parts, [0, 0, 0, 0, 0, 1], atol=1e-6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    tracks = Tracks(weights(0))
    for step in range(STEPS):
        tracks.follow(weights(step), step)
        if (step + 1) % 40 == 0:
            tracks.snapshot(out, step + 1)
    return out


@pytest.mark.parametrize("length", [0.07, 0.15, 0.2])
def test_any_length_is_reconstructed_after_the_run(run, length):
    made, step, missed = reconstruct(run, length)
    direct = sum(
        s * weights(k)["w"].double() for k, s in enumerate(profile(gamma_of(length), STEPS))
    )
    assert step == STEPS and missed < 0.1
    assert made["w"].dtype == torch.float32 and made["seen"] == STEPS - 1
    torch.testing.assert_close(made["w"].double(), direct, atol=0.005, rtol=0)
    others = [
        sum(s * weights(k)["w"].double() for k, s in enumerate(profile(gamma_of(own), STEPS)))
        for own in LENGTHS
    ]
    apart = min(float((direct - other).abs().max()) for other in others)
    assert apart > 0.01, "or the test could not tell it from a stored one"


def test_damaged_or_absent_snapshots_are_named(run, tmp_path):
    with pytest.raises(MissingFile, match="snapshot_every"):
        reconstruct(tmp_path, 0.1)
    tracks = Tracks(weights(0))
    tracks.snapshot(tmp_path, 3)
    (path,) = snapshots(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BadWeights, match="average-00000003"):
        reconstruct(tmp_path, 0.1)

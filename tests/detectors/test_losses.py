"""Losses: un-classified pixels have no gradient, levels count only on buildings, better is less."""

import torch

from afterscene.detectors.losses import detector_figures, detector_sums
from afterscene.networks.siamese import Logits


def _loss(target: torch.Tensor, place: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    sums = detector_sums(Logits(place, level), target, focus=1.0)
    return detector_figures(sums, dice=1.0)["loss"]


def _random(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 5, (2, 16, 16), generator=generator)
    place = torch.randn(2, 1, 16, 16, generator=generator, requires_grad=True)
    level = torch.randn(2, 4, 16, 16, generator=generator, requires_grad=True)
    return target, place, level


def test_unclassified_pixels_have_no_gradient() -> None:
    target, place, level = _random(0)
    target[:, :8] = 255
    _loss(target, place, level).backward()
    assert place.grad is not None and level.grad is not None
    assert (place.grad[:, :, :8] == 0).all()
    assert (level.grad[:, :, :8] == 0).all()
    assert (place.grad[:, :, 8:] != 0).all()


def test_levels_have_a_gradient_on_buildings_only() -> None:
    target, place, level = _random(1)
    _loss(target, place, level).backward()
    assert level.grad is not None
    touched = (level.grad != 0).any(dim=1)
    assert torch.equal(touched, target > 0)


def test_a_batch_without_any_building_is_finite() -> None:
    target, place, level = _random(2)
    target[:] = 0
    target[0] = 255
    loss = _loss(target, place, level)
    loss.backward()
    assert torch.isfinite(loss)
    assert level.grad is not None and (level.grad == 0).all()


def test_the_truth_costs_almost_nothing_and_its_opposite_much() -> None:
    target, _, _ = _random(3)
    place = ((target > 0).float() * 20 - 10)[:, None]
    level = (
        20 * torch.nn.functional.one_hot((target - 1).clamp(min=0), 4).permute(0, 3, 1, 2).float()
    )
    assert _loss(target, place, level) < 0.02
    assert _loss(target, -place, -level) > 5

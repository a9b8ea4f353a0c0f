"""Sums over crops whose bits do not depend on who has which crop."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from afterscene.training.exact import exact_sum, make_exact
from afterscene.training.processes import Group


class Played(Group):
    """A process whose partner's numbers were recorded before; sums and maxima include them."""

    def __init__(self, heard):
        super().__init__(rank=0, size=2)
        object.__setattr__(self, "heard", list(heard))
        object.__setattr__(self, "said", [])

    def sum(self, value):
        self.said.append(value.clone())
        return value + self.heard.pop(0) if self.heard else value

    def largest(self, value):
        self.said.append(value.clone())
        return torch.maximum(value, self.heard.pop(0)) if self.heard else value


def test_a_sum_has_the_same_bits_in_any_order_and_near_the_exact_one():
    generator = torch.Generator().manual_seed(0)
    terms = torch.randn(9, 1000, generator=generator) * 10.0 ** torch.arange(-3, 6)[:, None]
    ways = [exact_sum(terms[torch.randperm(9, generator=generator)], Group()) for _ in range(5)]
    assert all(torch.equal(way, ways[0]) for way in ways)
    plain = [terms[torch.randperm(9, generator=generator)].sum(0) for _ in range(5)]
    assert not all(torch.equal(way, plain[0]) for way in plain), "float32 alone depends on order"
    torch.testing.assert_close(ways[0].double(), terms.double().sum(0), rtol=6e-8, atol=1e-6)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_so(bad):
    assert not exact_sum(torch.tensor([[1.0], [bad]]), Group()).isfinite().any()
    assert exact_sum(torch.zeros(3, 2), Group()).tolist() == [0.0, 0.0]


def test_a_sum_over_two_processes_is_that_of_one_to_the_bit():
    terms = torch.randn(5, 100, generator=torch.Generator().manual_seed(1))
    other = Played([])
    exact_sum(terms[2:], other)
    largest = torch.maximum(other.said[0], terms[:2].abs().amax().double().reshape(1))
    other = Played([largest])
    exact_sum(terms[2:], other)
    assert torch.equal(exact_sum(terms[:2], Played(other.said)), exact_sum(terms, Group()))


def test_exact_modules_are_those_of_torch_up_to_rounding():
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8),
        nn.Conv2d(8, 2, 1),
    )
    exact = copy.deepcopy(plain)
    assert len(make_exact(exact, Group())) == len(list(exact.parameters()))
    assert exact.state_dict().keys() == plain.state_dict().keys()
    xs = [torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(2)) for _ in plain]
    gradients = []
    for net, x in zip((plain, exact), xs, strict=False):
        y = net(x.requires_grad_())
        F.mse_loss(y, torch.ones_like(y)).backward()
        gradients.append([x.grad, *(p.grad for p in net.parameters())])
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)
    for one, two in zip(plain.buffers(), exact.buffers(), strict=True):
        torch.testing.assert_close(one, two)


def test_frozen_layers_stay_frozen():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 1))
    net[0].requires_grad_(False)
    make_exact(net, Group())
    net(torch.randn(2, 1, 8, 8)).sum().backward()
    assert net[0].weight.grad is None and net[1].weight.grad is not None

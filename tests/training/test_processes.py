"""Who takes which crops, how a process is told of the others, and norms that see them all."""

import copy
import os
import sys

import pytest
import torch
from torch import nn

from afterscene.errors import MissingExtra
from afterscene.training.exact import ExactBatchNorm2d, make_exact
from afterscene.training.processes import Group, joined


@pytest.mark.parametrize(("size", "parts"), [(1, 1), (2, 1), (3, 2), (4, 3)])
@pytest.mark.parametrize("count", [1, 7, 26])
def test_the_pieces_of_all_processes_are_the_batch(size, parts, count):
    every = [Group(rank=rank, size=size).pieces(count, parts) for rank in range(size)]
    taken = [number for pieces in every for piece in pieces for number in range(count)[piece]]
    assert taken == list(range(count))
    lengths = [sum(len(range(count)[p]) for p in pieces) for pieces in every]
    assert max(lengths) - min(lengths) <= parts


def test_a_shared_norm_is_the_norm_of_the_whole_batch():
    """One process with everything and itself as its whole group is torch's batch norm."""
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, momentum=0.03)).double()
    shared = copy.deepcopy(plain)
    summed = make_exact(shared, Group())
    assert len(summed) == 4 and isinstance(shared[1], ExactBatchNorm2d)
    x = torch.randn(4, 2, 9, 9).double() + 5
    for _ in range(3):
        ys = [net(x) for net in (plain, shared)]
        for net, y in zip((plain, shared), ys, strict=True):
            net.zero_grad()
            y.square().mul(torch.arange(3.0)[:, None, None]).mean().backward()
    torch.testing.assert_close(ys[0], ys[1], atol=1e-5, rtol=1e-5)
    for a, b in zip(plain.parameters(), shared.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-5, rtol=1e-4)
    assert plain.state_dict().keys() == shared.state_dict().keys()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(value, shared.state_dict()[name], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(plain.eval()(x), shared.eval()(x), atol=1e-5, rtol=1e-5)


def test_alone_there_is_nothing_to_join():
    with joined() as group:
        assert group == Group() and group.first and group.highest(7) == 7


def test_several_processes_without_accelerate_are_refused(monkeypatch):
    monkeypatch.setitem(os.environ, "WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingExtra, match=r"afterscene\[train\]"), joined():
        pass

"""The colour space can be left again, and grey stays on its axis."""

import torch

from afterscene.generators.colour import to_opponent, to_rgb


def test_round_trip_is_the_identity():
    rgb = torch.rand(2, 3, 5, 4) * 2 - 1
    torch.testing.assert_close(to_rgb(to_opponent(rgb)), rgb, atol=1e-6, rtol=0)


def test_grey_has_no_colour():
    grey = torch.full((1, 3, 2, 2), 0.7)
    opponent = to_opponent(grey)
    torch.testing.assert_close(opponent[:, 1:], torch.zeros(1, 2, 2, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(opponent[:, 0], torch.full((1, 2, 2), 0.7 * 3**0.5 / 2))

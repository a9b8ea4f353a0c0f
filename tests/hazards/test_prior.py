"""Every hazard says where on the Earth it is no surprise."""

import numpy as np

from afterscene.hazards import HAZARDS

LIMA, TULSA = (-77.03, -12.04), (-95.99, 36.15)


def weights(name):
    lng, lat = np.array([LIMA, TULSA]).T
    return HAZARDS[name].prior.weights(lng, lat)


def test_the_prior_covers_every_hazard_and_keeps_tornadoes_out_of_lima():
    for name, kind in HAZARDS.items():
        assert kind.prior.source and 0 <= kind.prior.elsewhere <= 1
        assert kind.prior.boxes
        assert all(w < e and s < n and 0 < v <= 1 for w, s, e, n, v in kind.prior.boxes)
        assert ((weights(name) >= 0) & (weights(name) <= 1)).all()
    assert weights("tornado")[1] > 10 * weights("tornado")[0]
    assert weights("earthquake")[0] > 10 * weights("earthquake")[1]

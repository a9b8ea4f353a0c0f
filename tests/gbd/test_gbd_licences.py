"""Terms add up, and silence permits nothing."""

import pytest

from afterscene.errors import BadLabel
from afterscene.gbd.licences import UNKNOWN, XBD, combine, item_licence

XBD_ROW = {"id": "a", "source": "hurricane-michael_00000019", "model": "default"}
OWN_ROW = XBD_ROW | {"source": "my-town_00000001"}


def test_a_picture_of_xbd_through_the_shipped_model_carries_xbd_s_licence():
    assert item_licence(XBD_ROW, {}) == XBD


def test_a_place_that_nobody_licensed_is_unknown():
    assert item_licence(OWN_ROW, {}) == f"{XBD} AND {UNKNOWN}"


def test_the_label_of_a_source_may_state_its_licence():
    assert item_licence(OWN_ROW, {"licence": "CC-BY-4.0"}) == f"CC-BY-4.0 AND {XBD}"


def test_a_drawn_place_adds_no_terms():
    assert item_licence(OWN_ROW, {"synthetic": True, "drawn": "drawn:3"}) == XBD


@pytest.mark.parametrize("model", ["some/folder", "no-such", "", None])
def test_a_model_that_is_not_shipped_is_unknown(model):
    assert item_licence(XBD_ROW | {"model": model}, {}) == f"{XBD} AND {UNKNOWN}"


@pytest.mark.parametrize("said", ["", 3, ["MIT"], "a\nb"])
def test_a_licence_that_is_no_name_is_refused(said):
    with pytest.raises(BadLabel, match="licence"):
        item_licence(OWN_ROW, {"licence": said})


def test_the_strictest_term_of_each_kind_holds():
    found = combine(["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"])
    assert (found.commercial, found.attribution, found.share_alike) == (False, True, ())
    free = combine(["CC0-1.0"])
    assert (free.commercial, free.attribution) == (True, False)
    assert "commercial use permitted" in free.sentence


def test_two_share_alike_licences_conflict():
    found = combine(["CC-BY-SA-4.0 AND ODbL-1.0"])
    assert found.conflict and "do not publish" in found.sentence
    assert not combine([XBD, f"{XBD} AND CC-BY-4.0"]).conflict


def test_unknown_terms_permit_nothing():
    found = combine(["MIT", f"MIT AND {UNKNOWN}"])
    assert not found.commercial and found.attribution
    assert found.unknown == (UNKNOWN,) and "ask the owner" in found.sentence
    assert found.as_json()["items"] == {"MIT": 1, f"MIT AND {UNKNOWN}": 1}

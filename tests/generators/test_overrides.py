"""Dotted overrides: read by type, checked by the records, refused with the known keys."""

import pytest

from afterscene.errors import BadParameter, UnknownName
from afterscene.recipes.overrides import keys_of, override
from afterscene.recipes.registry import RECIPES, recipe


@pytest.mark.parametrize(
    ("pair", "key", "value"),
    [
        ("lr=2e-4", "lr", 2e-4),
        ("clip=2", "clip", 2.0),
        ("steps=7", "steps", 7),
        ("checkpointing=true", "checkpointing", True),
        ("precision=fp32", "precision", "fp32"),
        ("model.widths=8,16,32,64", "model.widths", (8, 16, 32, 64)),
        ("model.widths=[8,16,32,64]", "model.widths", (8, 16, 32, 64)),
        ("crops.shapes=[32,4]", "crops.shapes", ((32, 4),)),
        ("crops.shapes=[[32,4],[64,2]]", "crops.shapes", ((32, 4), (64, 2))),
    ],
)
def test_a_setting_is_read_by_its_type(pair, key, value):
    before = recipe("generator")
    after = keys_of(override(before, [pair]))
    assert after[key] == value and type(after[key]) is type(value)
    assert {k for k, v in keys_of(before).items() if after[k] != v} == {key}


def test_settings_that_fit_only_together_are_taken_together():
    pairs = ["model.widths=8,16", "model.depths=1,1"]
    assert override(recipe("generator"), pairs).model.depths == (1, 1)


@pytest.mark.parametrize(
    ("pair", "kind", "words"),
    [
        ("model.wdths=8", UnknownName, r"model\.wdths.*model\.widths"),
        ("model=8", UnknownName, r"choose one of.*model\.widths"),
        ("lr", BadParameter, "not NAME=VALUE"),
        ("lr=fast", BadParameter, "lr.*'fast' is not a valid float"),
        ("lr=NaN", BadParameter, "is not a valid float"),
        ("steps=1.5", BadParameter, "is not a valid int"),
        ("steps=true", BadParameter, "is not a valid int"),
        ("steps=0", BadParameter, "steps must be at least 1"),
        ("checkpointing=1", BadParameter, "is not a valid bool"),
        ("precision=fp8", BadParameter, "auto, bf16 or fp32"),
        ("crops.shapes=[32]", BadParameter, "crops.shapes"),
        ("crops.shapes=[33,4]", BadParameter, "33 is not a multiple of 16"),
        ("crops.level_weights=1,2", BadParameter, "five numbers"),
    ],
)
def test_a_wrong_setting_is_refused(pair, kind, words):
    with pytest.raises(kind, match=words):
        override(recipe("generator"), [pair])


def test_recipes_are_whole_and_cannot_be_changed():
    for name in RECIPES:
        assert recipe(name).steps > 0
    with pytest.raises(TypeError):
        RECIPES["mine"] = RECIPES["generator"]
    with pytest.raises(UnknownName, match="generator-small"):
        recipe("gnerator")

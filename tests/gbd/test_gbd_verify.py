"""Verify tells synthetic from tampered from missing, for both layouts."""

import json

import pytest
from PIL import Image

import toys
from afterscene import gbd
from afterscene.errors import MissingFile


@pytest.fixture(params=["tree", "flat"])
def made(request, tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd", count=1)
    out, toy = tmp_path / "out", toys.ToyGenerator()
    sources = gbd.find_sources(tree)
    if request.param == "tree":
        plan = gbd.draw_plan(sources, gbd.PlanConfig(hazards=("wildfire",), count=1, seed=1))
        gbd.build(plan, out, toy, rendering=gbd.Rendering())
        return out / "images", out / "labels", out
    toys.synthesize(sources, "wildfire", out)
    return out, out, out


def verdict(out):
    (found,) = gbd.verify(out)
    return found.verdict


def test_an_untouched_pair_is_synthetic(made):
    assert verdict(made[2]) == "synthetic"


def test_one_changed_pixel_is_found(made):
    (image,) = made[0].glob("*_post_disaster.png")
    with Image.open(image) as old:
        new, text = old.convert("RGB"), dict(old.info)
    new.putpixel((3, 3), (0, 0, 0) if new.getpixel((3, 3)) != (0, 0, 0) else (1, 1, 1))
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for key, value in text.items():
        info.add_text(key, str(value))
    new.save(image, pnginfo=info)
    assert verdict(made[2]) == "tampered"


def test_a_mark_that_was_stripped_is_found(made):
    (image,) = made[0].glob("*_post_disaster.png")
    with Image.open(image) as old:
        plain = old.convert("RGB")
    plain.save(image)
    assert verdict(made[2]) == "tampered"


def test_a_label_without_its_mark_is_found(made):
    (label,) = made[1].glob("*_post_disaster.json")
    content = json.loads(label.read_text())
    del content["metadata"]["synthetic"]
    label.write_text(json.dumps(content))
    assert verdict(made[2]) == "tampered"


def test_a_file_that_is_gone_is_missing(made):
    (label,) = made[1].glob("*_post_disaster.json")
    label.unlink()
    assert verdict(made[2]) == "missing"


def test_a_file_that_is_no_picture_is_tampered_with(made):
    (image,) = made[0].glob("*_post_disaster.png")
    image.write_bytes(b"not a picture")
    assert verdict(made[2]) == "tampered"


def test_a_folder_without_manifest_is_an_error(tmp_path):
    with pytest.raises(MissingFile, match=r"manifest\.jsonl"):
        gbd.verify(tmp_path)

"""``afterscene synthesize --frames``: a film, its frames as pairs, and going on after a stop."""

import json

import numpy as np
import pytest
from PIL import Image

import toys
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.verify import verify
from afterscene.geodata.scene import read_scene

STEM = "toy-town_00000000"


@pytest.fixture
def film(afterscene, tree, tmp_path):
    def run(*more, out="film.gif", frames=4):
        pre = tree / "images" / f"{STEM}_pre_disaster.png"
        label = tree / "labels" / f"{STEM}_pre_disaster.json"
        call = ["synthesize", pre, "--labels", label, "--hazard", "wildfire", "--severity", "0.9"]
        return afterscene(*call, "--frames", frames, "--out", tmp_path / out, *more)

    return run


def test_a_film_alone_leaves_no_frames(film, tmp_path):
    outcome = film()
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout.startswith("4 frames in ")
    assert {path.name for path in tmp_path.iterdir()} == {"xbd", "film.gif"}
    with Image.open(tmp_path / "film.gif") as image:
        assert image.n_frames == 4
        assert json.loads(image.info["comment"])["AFTERSCENE_SYNTHETIC"] == "true"


def test_frames_as_pairs_are_a_set_whose_last_pair_is_that_without_a_film(
    film, afterscene, tree, tmp_path
):
    found = film("--frames-as-pairs", "--json").json
    folder = tmp_path / "film-frames"
    assert found["pairs"] == str(folder)
    assert [one.verdict for one in verify(folder)] == ["synthetic"] * 4
    entries = list(Dataset(folder))
    assert [entry.row["frame"] for entry in entries] == [[k, 4] for k in range(4)]
    assert entries[-1].row["levels"] == found["levels"]
    pre = tree / "images" / f"{STEM}_pre_disaster.png"
    label = tree / "labels" / f"{STEM}_pre_disaster.json"
    call = ["synthesize", pre, "--labels", label, "--hazard", "wildfire", "--severity", "0.9"]
    assert afterscene(*call, "--out", tmp_path / "alone").code == 0
    (alone,) = Dataset(tmp_path / "alone")
    assert np.array_equal(read_scene(alone.post).pixels, read_scene(entries[-1].post).pixels)
    assert [b.level for b in alone.label.buildings] == [
        b.level for b in entries[-1].label.buildings
    ]


def test_a_stopped_film_goes_on_and_is_the_same(film, tmp_path, monkeypatch):
    from afterscene.gbd.film import Film

    assert film(out="whole.gif").code == 0
    real, seen = Film.post, []

    def stop(self, number):
        seen.append(number)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(self, number)

    monkeypatch.setattr(Film, "post", stop)
    assert film().code != 0
    assert not (tmp_path / "film.gif").exists()
    assert len(list((tmp_path / "film-frames").glob("*_disaster.png"))) == 2
    assert film().code == 0
    assert seen == [0, 1, 2, 2, 3]
    assert (tmp_path / "film.gif").read_bytes() == (tmp_path / "whole.gif").read_bytes()


def test_another_film_does_not_go_on_with_its_frames(film):
    assert film("--frames-as-pairs").code == 0
    outcome = film("--frames-as-pairs", "--overwrite", "--seed", 9)
    assert outcome.code == 0  # with --overwrite the old frames go
    assert film(out="film.mp4", frames=5).code == 2


def test_pairs_that_were_kept_stay_when_another_film_is_made_of_them(film, tmp_path):
    assert film("--frames-as-pairs", out="film.mp4").code == 0
    outcome = film("--json")
    assert outcome.json["pairs"] == str(tmp_path / "film-frames")
    assert len(list((tmp_path / "film-frames").glob("*_disaster.png"))) == 4


def test_bad_films_are_one_line(film, afterscene, tree, tmp_path, refused):
    refused(film(frames=1), "a film of 1 frames", "2 to 1000")
    refused(film(out="film.avi"), ".gif or .mp4")
    refused(film(out="film"), "has no suffix; rename --out")
    refused(film(out="folder/film.gif"), "is no folder")
    refused(film("--on-error", "skip"), "leaves no frame out")
    refused(film("--explain", "--say", "the north burns"), "--explain draws no film")
    (tmp_path / "set.gif").mkdir()
    refused(film("--overwrite", out="set.gif"), "is a folder")
    assert not (tmp_path / "set-frames").exists()
    (tmp_path / "film.gif").write_bytes(b"mine")
    refused(film(), "exists already", "--overwrite")
    pres = sorted((tree / "images").iterdir())[:2]
    call = ["synthesize", *pres, "--labels", tree / "labels", "--hazard", "flood"]
    for path in (tree / "labels").iterdir():
        path.rename(path.with_name(path.name))
    refused(afterscene(*call, "--frames", 3, "--out", tmp_path / "two.gif"), "2 are given")
    refused(afterscene(*call, "--frames-as-pairs", "--out", tmp_path / "o"), "give --frames")


def test_a_geotiff_is_filmed(afterscene, tree, tmp_path):
    import rasterio
    from rasterio.transform import from_origin

    path = tmp_path / f"{STEM}_pre_disaster.tif"
    pixels = read_scene(tree / "images" / f"{STEM}_pre_disaster.png").pixels
    place = dict(crs="EPSG:32633", transform=from_origin(5e5, 5e6, 0.5, 0.5))
    shape = dict(count=3, height=toys.SIDE, width=toys.SIDE, dtype="uint8")
    with rasterio.open(path, "w", driver="GTiff", **shape, **place) as file:
        file.write(pixels)
    label = tree / "labels" / f"{STEM}_pre_disaster.json"
    call = ["synthesize", path, "--labels", label, "--hazard", "tsunami", "--mode", "reacquire"]
    outcome = afterscene(*call, "--frames", 3, "--frames-as-pairs", "--out", tmp_path / "film.gif")
    assert outcome.code == 0, outcome.stderr
    frames = sorted((tmp_path / "film-frames").glob("*.tif"))
    assert len(frames) == 3
    assert read_scene(frames[1]).transform == place["transform"]

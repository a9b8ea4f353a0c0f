"""Pairs that are probably not meant: one image twice, the later one first."""

import warnings
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from afterscene.errors import OddPair
from afterscene.geodata.doubts import warn_of_files, warn_of_pair, warn_of_pre
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.pair import read_pair
from afterscene.geodata.scene import Scene, write_scene
from afterscene.geodata.xbd import Pair


def scene(seed: int, time: str = "") -> Scene:
    picture = np.random.default_rng(seed).integers(1, 255, (24, 32, 3)).astype(np.uint8)
    return Scene.of_rgb(picture).replace(time=datetime.fromisoformat(time) if time else None)


REVERSED = {
    "both names": ("a_post_disaster.tif", "a_pre_disaster.tif", "their names say the reverse"),
    "words": ("after.tif", "before.tif", "reverse"),
    "folders": ("post/7.tif", "pre/7.tif", "reverse"),
    "the first": ("town_after.png", "town.png", "town_after.png says after"),
    "the second": ("town.png", "town-pre.png", "town-pre.png says before"),
    "dates": ("x_20181013.tif", "x_20170104.tif", "2018-10-13 and 2017-01-04"),
    "dates with dashes": ("2018-10-13-x.tif", "x-2017-12-31.tif", "2018-10-13 and 2017-12-31"),
}
IN_ORDER = (
    ("a_pre_disaster.tif", "a_post_disaster.tif"),
    ("town.tif", "town_2.tif"),
    ("pre/7.tif", "post/7.tif"),
    ("guard-post_12.tif", "town.tif"),
    ("x_20170104.tif", "x_20181013.tif"),
    ("x_20181399.tif", "x_20170104.tif"),
    ("pre_20181013.tif", "post_20170104.tif"),  # the words outweigh what may be another date
    ("103001007E413300.tif", "1020010072069C00.tif"),
)


@pytest.mark.parametrize("case", REVERSED)
def test_an_order_that_names_deny_is_said(case: str) -> None:
    pre, post, words = REVERSED[case]
    with pytest.warns(OddPair, match=f"{pre} is given as the image before and .*{words}"):
        warn_of_pair(Path(pre), Path(post), scene(1), scene(2))


def test_an_order_that_times_deny_is_said() -> None:
    late, early = scene(1, "2018-10-13T16:00:00"), scene(2, "2017-01-04T10:30:00+00:00")
    with pytest.warns(OddPair, match="2018-10-13 16:00 and 2017-01-04 10:30"):
        warn_of_pair(Path("a.tif"), Path("b.tif"), late, early)


@pytest.mark.parametrize(("pre", "post"), IN_ORDER)
def test_of_other_pairs_nothing_is_said(pre: str, post: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", OddPair)
        warn_of_pair(Path(pre), Path(post), scene(1), scene(2))
        warn_of_pre(Path(pre))


def test_one_image_twice_is_said_however_it_is_saved(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.tif", "b.png", "c.tif")]
    write_scene(scene(1), files[0])
    write_scene(scene(1), files[1], tags={"a": "b"})
    write_scene(scene(2), files[2])
    for one, two in ((0, 0), (0, 1)):
        with pytest.warns(OddPair, match="show the same pixels"):
            read_pair(Pair(id="x", event="x", pre=files[one], post=files[two]))
        with pytest.warns(OddPair, match="show the same pixels"):
            warn_of_files(ImageFile(files[one]), ImageFile(files[two]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", OddPair)
        read_pair(Pair(id="x", event="x", pre=files[0], post=files[2]))
        warn_of_files(ImageFile(files[0]), ImageFile(files[2]))
        read_pair(Pair(id="x", event="x", pre=files[0], post=files[1]), synthetic=True)


def test_a_pre_image_that_is_named_after_is_said() -> None:
    with pytest.warns(OddPair, match="its name says after"):
        warn_of_pre(Path("x/harbour_post.tif"))

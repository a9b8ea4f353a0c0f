"""``afterscene assess`` on a pair in xBD's layout, placed by its label."""

import sqlite3
from contextlib import closing

import pytest
from PIL import Image

import toys


@pytest.fixture
def pair(tmp_path):
    pre = toys.write_pre(tmp_path, "toy-town_00000000")
    post = tmp_path / "post.png"
    Image.open(pre).save(post)
    return pre, post, tmp_path / "labels" / f"{pre.stem}.json"


def test_assess_writes_layer_style_and_map(afterscene, pair, quick_model, tmp_path):
    pre, post, label = pair
    command = (
        "assess",
        "--pre",
        pre,
        "--post",
        post,
        "--footprints",
        label,
        "--model",
        quick_model,
    )
    out = tmp_path / "out" / "damage.gpkg"
    values = afterscene(*command, "-o", out, "--json", "--quiet").json
    assert sum(values["levels"].values()) == values["buildings"] == len(toys.BOXES)
    for suffix in (".gpkg", ".qml", ".html"):
        assert out.with_suffix(suffix).is_file()
    with closing(sqlite3.connect(out)) as base:
        assert base.execute("SELECT count(*) FROM buildings").fetchone() == (len(toys.BOXES),)
    again = afterscene(*command, "-o", out)
    assert again.code == 2 and "--overwrite" in again.stderr
    assert afterscene(*command, "-o", out, "--overwrite", "--quiet").code == 0
    assert afterscene(*command, "-o", tmp_path / "x.shp").code == 2


def test_nothing_half_written_is_left_behind(afterscene, pair, quick_model, tmp_path):
    pre, post, label = pair
    images = ("--pre", pre, "--post", post, "--footprints", label, "--model", quick_model)
    (tmp_path / "damage.html").mkdir()
    failed = afterscene("assess", *images, "-o", tmp_path / "damage.gpkg", "--overwrite")
    assert failed.code == 2 and "damage.html cannot be written" in failed.stderr
    assert not (tmp_path / "damage.qml").exists()

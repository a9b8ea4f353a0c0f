"""Pictures and the page: colours, windows, escaping, and images that decode to what went in."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from afterscene.errors import BadParameter
from afterscene.geodata.damage import COLOURS, DamageLevel
from afterscene.pages.pictures import busiest_window, no_larger, paint_damage
from afterscene.pages.report import PictureRow, Report, Section, Table, write_report


def test_each_level_has_a_colour_of_its_own() -> None:
    target = np.array([[0, 1, 2, 3, 4, 255]], dtype=np.uint8)
    picture = paint_damage(target, strength=1.0)
    assert len({tuple(c) for c in picture[0].tolist()}) == 6
    assert tuple(picture[0, 4]) == COLOURS[DamageLevel.DESTROYED]


def test_the_scene_stays_visible_under_the_colours() -> None:
    under = np.zeros((4, 4, 3), dtype=np.uint8)
    under[:, 2:] = 200
    picture = paint_damage(np.zeros((4, 4), dtype=np.uint8), under)
    assert (picture[:, 0] == 0).all() and (picture[:, 3] == 140).all()


def test_the_window_lies_where_the_damage_is() -> None:
    target = np.ones((300, 400), dtype=np.uint8)
    target[200:220, 310:330] = 4
    rows, cols = busiest_window(target, 64)
    assert rows.start <= 200 and rows.stop >= 220 and cols.start <= 310 and cols.stop >= 330
    rows, cols = busiest_window(np.zeros((10, 20), dtype=np.uint8), 64)
    assert (rows.stop, cols.stop) == (10, 20)


def test_the_file_is_whole_and_its_pictures_decode(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((160, 120, 1))).astype(np.uint8)
    report = Report(
        title="T",
        tables=(Table(caption="c", columns=("a", "b"), rows=(("<x>", 0.12345),)),),
        pictures=(PictureRow(title="r", pictures={"p": smooth}),),
        notes=(Section(title="n", paragraphs=("text & more",)),),
    )
    page = write_report(report, tmp_path / "report.html").read_text()
    assert "0.123" in page and "&lt;x&gt;" in page and "text &amp; more" in page
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
    data = re.findall(r"data:image/jpeg;base64,([^\"]+)", page)
    assert len(data) == 1
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(data[0]))))
    wanted = no_larger(smooth, 640)
    assert seen.shape == wanted.shape == (640, 480, 3)
    assert np.abs(seen.astype(int) - wanted).mean() < 4


def test_a_row_is_cut_to_one_window_of_all_its_pictures() -> None:
    target = np.zeros((90, 120), np.uint8)
    target[50:60, 70:80] = 4
    places = np.indices(target.shape).sum(axis=0).astype(np.uint8)
    row = PictureRow(title="r", pictures={"a": places, "b": target}).cut(target, 30)
    assert row.pictures["b"].shape == (30, 30) and (row.pictures["b"] == 4).sum() == 100
    assert (places[50, 70] == row.pictures["a"][row.pictures["b"] == 4]).any()


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(BadParameter):
        Table(caption="c", columns=("a", "b"), rows=(("x",),))

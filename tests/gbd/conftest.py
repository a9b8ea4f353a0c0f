"""A finished toy set with a place and a date, for what is done with sets."""

import json
from pathlib import Path

import pytest

import toys
from afterscene import gbd

NOON = "2018-10-13T12:00:00.000Z"


def place_labels(tree: Path) -> None:
    """Give each toy label ``lng_lat`` (1e-5 degrees a pixel, north up) and a capture date."""
    for path in (tree / "labels").glob("*.json"):
        label = json.loads(path.read_text())
        label["features"]["lng_lat"] = [
            {**entry, "wkt": toys.box_wkt(*(place(box)))}
            for entry, box in zip(label["features"]["xy"], toys.BOXES, strict=True)
        ]
        label["metadata"]["capture_date"] = NOON
        path.write_text(json.dumps(label))


def place(box: tuple[float, ...]) -> tuple[float, ...]:
    left, top, right, bottom = (value * 1e-5 for value in box)
    return (round(10 + left, 7), round(50 - top, 7), round(10 + right, 7), round(50 - bottom, 7))


def make_set(folder: Path, *, placed: bool = True, count: int = 3) -> Path:
    tree = toys.toy_tree(folder / "xbd")
    if placed:
        place_labels(tree)
    plan = gbd.draw_plan(
        gbd.find_sources(tree), gbd.PlanConfig(hazards=("wildfire",), count=count, seed=7)
    )
    gbd.build(plan, folder / "set", toys.ToyGenerator(), rendering=gbd.Rendering())
    return folder / "set"


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A set of three pairs; read only."""
    return make_set(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def own(tmp_path) -> Path:
    """The same set, to be harmed."""
    return make_set(tmp_path)


@pytest.fixture(scope="session")
def set_maker():
    """``make_set(folder, placed=..., count=...)`` for sets of another kind."""
    return make_set

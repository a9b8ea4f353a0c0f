"""Sets of pairs are looked through and built; a real pair is assessed as the command does it."""

import io
import sqlite3

import pytest

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("uvicorn", reason="the extra studio is not installed")

from PIL import Image

import toys
from afterscene import gbd, samples
from studioserver import AssessingWorker, running


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A set of two hazards that the command is given."""
    folder = tmp_path_factory.mktemp("sets") / "<i>given"
    sources = gbd.find_sources(toys.toy_tree(folder.parent / "xbd"))
    config = gbd.PlanConfig(hazards=("wind", "flood"), count=14, seed=1)
    plan = gbd.draw_plan(sources, config)
    gbd.build(plan, folder, toys.ToyGenerator(), rendering=gbd.Rendering())
    return folder


@pytest.fixture(scope="module")
def client(tmp_path_factory, given):
    root = tmp_path_factory.mktemp("studio") / "folder"
    with running(root, AssessingWorker, folders=(given,)) as (client, _):
        yield client


def test_a_given_set_is_filtered_page_by_page(client, given):
    (one,) = client.got("GET", "/api/sets")
    assert one["name"] == "<i>given" and str(given) not in str(one)
    number = one["id"]
    about = client.got("GET", f"/api/sets/{number}")
    assert (about["pairs"], about["hazards"]) == (14, ["flood", "wind"])
    page = client.got("GET", f"/api/sets/{number}/pairs")
    rest = client.got("GET", f"/api/sets/{number}/pairs?first=12")
    assert (len(page["pairs"]), page["more"], len(rest["pairs"]), rest["more"]) == (12, True, 2, 0)
    wind = client.got("GET", f"/api/sets/{number}/pairs?hazard=wind")
    assert wind["count"] == 7 and {pair["hazard"] for pair in wind["pairs"]} == {"wind"}
    struck = client.got("GET", f"/api/sets/{number}/pairs?level=destroyed")
    assert struck["count"] > 0 and all(p["levels"]["destroyed"] for p in struck["pairs"])
    assert client.got("GET", f"/api/sets/{number}/pairs?region=nowhere")["count"] == 0
    for when in ("pre", "post"):
        status, _, body = client.raw("GET", f"/api/sets/{number}/pairs/3/{when}.jpg")
        assert status == 200 and Image.open(io.BytesIO(body)).size == (64, 64)
    page = client.raw("GET", f"/api/sets/{number}/stats.html")[2]
    assert b"flood" in page


@pytest.mark.parametrize("path", ["99/pre.jpg", "-1/post.jpg", "0/run.jpg", "..%2f0/pre.jpg"])
def test_a_picture_that_is_not_there_is_not_found(client, path):
    (one,) = (s for s in client.got("GET", "/api/sets") if not s["built"])
    assert 400 <= client.raw("GET", f"/api/sets/{one['id']}/pairs/{path}")[0] < 500


def test_a_set_is_built_and_then_shown(client):
    asked = {"kind": "build", "name": "mine", "hazards": ["wind", "wildfire"], "count": 4}
    job = client.got("POST", "/api/jobs", asked)
    assert client.until(job, "done")["made"]["pairs"] == 4
    (mine,) = (s for s in client.got("GET", "/api/sets") if s["built"])
    assert (mine["id"], mine["name"]) == (job["id"], "mine")
    assert client.got("GET", f"/api/sets/{job['id']}")["hazards"] == ["wildfire", "wind"]


@pytest.mark.parametrize("change", [{"hazards": []}, {"hazards": ["snow"]}, {"count": 10**6}])
def test_a_build_that_cannot_be_is_refused_at_once(client, change):
    asked = {"kind": "build", "name": "mine", "hazards": ["wind"], "count": 1, **change}
    assert client.ask("POST", "/api/jobs", asked)[0] == 422


def test_a_real_pair_is_assessed(client, tmp_path):
    folder = samples.folder()
    stem = "farm_00000000_pre_disaster"
    scene = client.got("POST", "/api/scenes", {"sample": "farm"})["id"]
    drawn = client.until(client.draw(scene, severity=1.0), "done")
    post = client.raw("GET", f"/api/jobs/{drawn['id']}/files/post.jpg")[2]
    sent = {
        "pre": ("before.jpg", (folder / "images" / f"{stem}.jpg").read_bytes()),
        "post": ("after.jpg", post),
        "footprints": ("roofs.json", (folder / "labels" / f"{stem}.json").read_bytes()),
    }
    numbers = {what: client.send(*file)[1]["id"] for what, file in sent.items()}
    job = client.until(client.got("POST", "/api/jobs", {"kind": "assess", **numbers}), "done")
    assert sum(job["made"]["counts"].values()) == len(drawn["made"]["buildings"])
    (tmp_path / "a.gpkg").write_bytes(
        client.raw("GET", f"/api/jobs/{job['id']}/files/damage.gpkg")[2]
    )
    with sqlite3.connect(tmp_path / "a.gpkg") as base:
        (count,) = base.execute("SELECT count(*) FROM buildings").fetchone()
    assert count == len(drawn["made"]["buildings"])
    assert b"<svg" in client.raw("GET", f"/api/jobs/{job['id']}/files/damage.html")[2]
    wrong = {**numbers, "pre": numbers["footprints"]}
    failed = client.until(client.got("POST", "/api/jobs", {"kind": "assess", **wrong}), "failed")
    assert "/" not in failed["error"]

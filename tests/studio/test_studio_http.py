"""The studio answers its own page alone, keeps to its folder, and refuses what is unusable."""

import io
import json
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("uvicorn", reason="the extra studio is not installed")

import numpy as np
from PIL import Image

import toys
from studioserver import Client, running


@pytest.fixture(scope="module")
def open_studio(tmp_path_factory):
    with running(tmp_path_factory.mktemp("studio") / "folder") as (client, worker):
        yield client, worker


@pytest.fixture
def client(open_studio):
    return open_studio[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    image = toys.write_pre(folder, "toy-town_00000000")
    return image.read_bytes(), (folder / "labels" / f"{image.stem}.json").read_bytes()


def scene_of(client, files, names=("town.png", "town.json")):
    sent = [client.send(name, content) for name, content in zip(names, files, strict=True)]
    assert [status for status, _ in sent] == [200, 200], sent
    image, footprints = (about["id"] for _, about in sent)
    return client.got("POST", "/api/scenes", {"image": image, "footprints": footprints})


def test_without_the_key_nothing_is_told(client):
    stranger = Client(client.port, None)
    for path in ("/", "/main.js", "/api/samples", "/docs", "/openapi.json", "/?token=wrong"):
        status, headers, body = stranger.raw("GET", path)
        assert (status, b"sample" in body) == (401, False), path
        assert "default-src 'none'" in headers["content-security-policy"]
    status, headers, _ = stranger.raw("GET", f"/?token={client.key}")
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    let_in = {"Cookie": cookie.split(";")[0]}
    assert stranger.raw("GET", "/api/samples", headers=let_in)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_another_sites_name_for_this_machine_is_refused(client, host):
    assert client.raw("GET", "/api/samples", headers={"Host": host})[0] == 421


def test_another_sites_page_can_change_nothing(client):
    body = json.dumps({"sample": "coast"})
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{client.port}"):
        head = {"Origin": origin, "Content-Type": "application/json"}
        assert client.raw("POST", "/api/scenes", body, head)[0] == 403
    own = {"Origin": f"http://127.0.0.1:{client.port}", "Content-Type": "application/json"}
    assert client.raw("POST", "/api/scenes", body, own)[0] == 200


UP = ("..", "%2e%2e", "%252e%252e", "..%5c..", "C:%5c", "%00", "token", "a" * 32, "0" * 31)


@pytest.mark.parametrize("name", UP)
def test_no_name_leads_out_of_the_folder(client, name):
    number = client.got("POST", "/api/scenes", {"sample": "coast"})["id"]
    for path in (
        f"/{name}/token",
        f"/api/scenes/{name}",
        f"/api/scenes/{name}/picture.jpg",
        f"/api/samples/{name}/picture.jpg",
        f"/api/jobs/{name}",
        f"/api/jobs/{name}/files/pre.jpg",
        f"/api/jobs/{name}/files/{name}",
        f"/api/scenes/{number}/{name}",
    ):
        status, _, body = client.raw("GET", path)
        assert 400 <= status < 500, path
        assert client.key.encode() not in body


def test_a_file_that_the_job_did_not_make_is_not_given(client):
    scene = client.got("POST", "/api/scenes", {"sample": "coast"})["id"]
    job = client.until(client.draw(scene), "done")
    for name in ("job.json", "about.json", "..%2fjob.json", "run", "%2e%2e%2f%2e%2e%2ftoken"):
        assert client.raw("GET", f"/api/jobs/{job['id']}/files/{name}")[0] == 404


def test_an_upload_over_the_limit_is_refused_before_it_is_read(client):
    head = {"Content-Length": str(10 << 30)}
    assert client.raw("POST", "/api/uploads?name=a.png", b"", head)[0] == 413
    assert client.raw("POST", "/api/scenes", b"x" * (1 << 20))[0] == 413


def test_a_body_longer_than_it_says_is_cut_off(client, monkeypatch):
    chunks = (b" " * (32 << 10) for _ in range(8))  # chunked: no length is given
    status, _, _ = client.raw("POST", "/api/scenes", chunks, {"Content-Type": "application/json"})
    assert 400 <= status < 500


def bomb():
    """A PNG of a few hundred kilobytes that says it is 60,000 pixels square."""

    def chunk(kind, data):
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_bomb_a_wrong_kind_and_a_damaged_file_are_refused_by_name(client, files):
    for name, content in (("run.exe", b"MZ"), ("a.png", b"not a png"), ("a.tif", b"")):
        status, said = client.send(name, content)
        assert status == 422 and "/" not in said["error"].split("give")[0], said
        assert name == "run.exe" or said["error"].startswith(f"{name} is "), said
    image = client.send("<b>bomb</b>.png", bomb())[1]["id"]
    footprints = client.send("roofs.json", files[1])[1]["id"]
    status, said = client.ask("POST", "/api/scenes", {"image": image, "footprints": footprints})
    assert status == 422
    assert said["error"].startswith("<b>bomb</b>.png") and "studio" not in said["error"]
    cut = client.send("cut.png", files[0][:200])[1]["id"]
    status, _ = client.ask("POST", "/api/scenes", {"image": cut, "footprints": footprints})
    assert status == 422


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"sample": "coast", "image": "0" * 32},
        {"sample": "../coast"},
        {"image": "/etc/passwd", "footprints": "/etc/passwd"},
        {"path": "/etc/passwd"},
        {"image": "0" * 32, "footprints": "0" * 32},
        [],
    ],
)
def test_a_scene_is_a_sample_or_two_uploads(client, value):
    status, _ = client.ask("POST", "/api/scenes", value)
    assert 400 <= status < 500


@pytest.mark.parametrize(
    "wish",
    [
        {"hazard": "snow"},
        {"hazard": "flood", "severity": 2},
        {"hazard": "flood", "parameters": {"stage": -1}},
        {"hazard": "flood", "parameters": {"stage": 1e999}},
        {"hazard": "flood", "parameters": {"relief": 1}},
        {"hazard": "flood", "parameters": {"name": 3}},
        {"hazard": "flood", "parameters": {"severity": 0.5}},
        {"hazard": "flood", "severity": float("nan")},
        {"say": "\ud800 burns"},
        {"hazard": "flood", "steps": 10**9},
        {"hazard": "flood", "mode": "redraw"},
        {"hazard": "flood", "seed": -1},
        {"say": "x" * 501},
        {"say": "the moon is made of cheese"},
        {},
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_it_waits(client, wish):
    scene = client.got("POST", "/api/scenes", {"sample": "coast"})["id"]
    status, said = client.ask("POST", "/api/jobs", {"kind": "aftermath", "scene": scene, **wish})
    assert 400 <= status < 500 and ("error" in said or "detail" in said)


def test_the_levels_are_those_of_the_command(client, tmp_path):
    from afterscene import gbd, samples

    scene = client.got("POST", "/api/scenes", {"sample": "river"})["id"]
    wish = {"hazard": "flood", "severity": 0.8, "seed": 3, "parameters": {"stage": 4.0}}
    told = client.got("POST", f"/api/scenes/{scene}/levels", wish)
    sources = [s for s in gbd.find_sources(samples.folder()) if s.event == "river"]
    plan = gbd.plan_each(sources, "flood", severity=0.8, seed=3, parameters={"stage": 4.0})
    gbd.build(plan, tmp_path / "out", toys.ToyGenerator(), rendering=gbd.Rendering())
    (row,) = gbd.rundir.read_manifest(tmp_path / "out")
    assert told["counts"] == row["levels"] and told["unit"] == "m"
    drawn = client.until(client.draw(scene, **wish), "done")
    assert drawn["made"]["row"]["pixel_sha256"] == row["pixel_sha256"]


def test_words_name_hazard_and_levels(client):
    scene = client.got("POST", "/api/scenes", {"sample": "river"})["id"]
    for say in ("the northern third is flooded, nothing else is touched", "北部三分之一被淹"):
        told = client.got("POST", f"/api/scenes/{scene}/levels", {"say": say})
        assert told["hazard"] == "flood" and told["understood"]


def test_a_painted_map_sets_the_levels(client, files):
    scene = scene_of(client, files)["id"]
    painted = np.zeros((toys.SIDE, toys.SIDE, 4), np.uint8)
    left, top, right, bottom = toys.BOXES[1]
    painted[top - 1 : bottom + 2, left - 1 : right + 2] = (192, 28, 40, 255)
    buffer = io.BytesIO()
    Image.fromarray(painted).save(buffer, "PNG")
    wish = {"hazard": "wind", "sketch": client.send("painted.png", buffer.getvalue())[1]["id"]}
    told = client.got("POST", f"/api/scenes/{scene}/levels", wish)
    assert told["levels"] == ["no-damage", "destroyed", "no-damage", "no-damage"]
    done = client.until(client.draw(scene, **wish), "done")
    assert [b["asked"] for b in done["made"]["buildings"]] == told["levels"]
    both = {**wish, "say": "a storm destroys everything"}
    assert client.ask("POST", f"/api/scenes/{scene}/levels", both)[0] == 422
    assert client.ask("POST", f"/api/scenes/{scene}/levels", {**wish, "sketch": scene})[0] == 404


def test_what_is_taken_home_is_whole_and_marked(client, files):
    scene = scene_of(client, files)["id"]
    job = client.until(client.draw(scene, severity=1.0), "done")
    content = client.raw("GET", f"/api/jobs/{job['id']}/files/pair.zip")[2]
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert {"images/scene_post_disaster.png", "images/scene_pre_disaster.png"} <= {*names}
    assert "manifest.jsonl" in names
    label = json.loads(client.raw("GET", f"/api/jobs/{job['id']}/files/labels.json")[2])
    assert label["metadata"]["synthetic"] is True
    cogs = client.raw("GET", f"/api/jobs/{job['id']}/files/cog.zip")[2]
    assert len(zipfile.ZipFile(io.BytesIO(cogs)).namelist()) == 2
    status, said = client.ask("GET", f"/api/jobs/{job['id']}/files/buildings.gpkg")
    assert status == 422 and "no" in said["error"]  # no building has a place on the Earth


def test_twenty_clients_at_once_each_get_their_own(client, files):
    def one(seed):
        scene = scene_of(client, files)["id"]
        told = client.got("POST", f"/api/scenes/{scene}/levels", {"hazard": "wind", "seed": seed})
        job = client.draw(scene, seed=seed, severity=0.9)
        done = client.until(job, "done", "failed")
        return seed, told, done

    with ThreadPoolExecutor(20) as pool:
        found = [*pool.map(one, range(20))]
    assert len({done["id"] for _, _, done in found}) == 20
    for seed, _, done in found:
        assert done["state"] == "done"
        assert done["asked"]["seed"] == done["made"]["row"]["seed"] == seed


def test_the_interface_is_described_without_anything_from_elsewhere(client):
    status, _, page = client.raw("GET", "/docs")
    assert status == 200 and b"/api/jobs" in page and b"AskedAftermath" in page
    assert b"http://" not in page and b"https://" not in page and b"<script" not in page

"""The live model samples what it says; pages that were made before are read, and nothing beside."""

import math

import pytest

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("uvicorn", reason="the extra studio is not installed")

from afterscene.errors import MissingFile
from afterscene.files import prepare_output
from afterscene.studio import learn
from afterscene.studio.reading import Reading
from studioserver import running


def far(point, others):
    return min(math.dist(point, other) for other in others)


@pytest.mark.parametrize("sampler", learn.SAMPLERS)
def test_points_end_on_the_upper_crescent(sampler):
    walked = learn.walk(noise=3.0, steps=40, guidance=1.0, sampler=sampler, seed=1)
    upper, lower = walked["data"][: learn.EACH], walked["data"][learn.EACH :]
    ends = [path[-1] for path in walked["paths"]]
    assert all(len(path) == 41 for path in walked["paths"])
    near = [far(end, upper) < min(0.25, far(end, lower) + 0.2) for end in ends]
    assert sum(near) >= 0.9 * len(near)


def test_guidance_leaves_the_end_that_lies_within_the_other_class():
    def ends(guidance):
        walked = learn.walk(noise=3.0, steps=20, guidance=guidance, sampler="ddim", seed=1)
        return [path[-1] for path in walked["paths"]]

    within = {w: sum(x > 0.2 for x, _ in ends(w)) for w in (1.0, 3.0)}
    assert within[3.0] < within[1.0]
    below = [far(end, learn.crescents()[1].tolist()) < 0.2 for end in ends(0.0)]
    assert 0.25 < sum(below) / len(below) < 0.75  # without a class: both


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, kind in (("course", "course"), ("report", "compare")):
        prepare_output(folder / name, kind, run={})
        (folder / name / "index.html").write_text(f"<h1>{name}</h1>")
    (folder / "secret.html").write_text("secret")
    (folder / "course" / "link.html").symlink_to(folder / "secret.html")
    (folder / "course" / "part").mkdir()
    (folder / "course" / "part" / "a.css").write_text("b {}")
    given = (folder / "course", folder / "report")
    with running(folder / "studio", pages=given) as (client, _):
        yield client


def test_given_pages_are_listed_and_read(client):
    course, report = client.got("GET", "/api/pages")
    assert (course["name"], course["lessons"], report["lessons"]) == ("course", True, False)
    status, headers, body = client.raw("GET", course["page"])
    assert (status, body) == (200, b"<h1>course</h1>")
    assert "default-src 'self'" in headers["content-security-policy"]
    base = course["page"].removesuffix("index.html")
    assert client.raw("GET", base + "part/a.css")[0] == 200
    for name in ("../secret.html", "..%2fsecret.html", "link.html", "part", "afterscene", "%00"):
        status, _, body = client.raw("GET", base + name)
        assert 400 <= status < 500 and body != b"secret"


def test_the_live_model_refuses_what_it_cannot_do(client):
    assert client.ask("GET", "/api/walk?steps=5")[0] == 200
    for wrong in ("steps=0", "steps=1000", "noise=-1", "guidance=nan", "sampler=magic"):
        assert client.ask("GET", f"/api/walk?{wrong}")[0] == 422


def test_a_folder_without_a_page_is_told(tmp_path):
    with pytest.raises(MissingFile, match="course run"):
        Reading((tmp_path,))

"""The line of jobs: one at a time, in order, stopped and continued, and none lost by a restart."""

import json

import pytest

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("uvicorn", reason="the extra studio is not installed")

from studioserver import running


@pytest.fixture
def studio(tmp_path):
    with running(tmp_path / "folder") as (client, worker):
        yield client, worker.generator, client.got("POST", "/api/scenes", {"sample": "farm"})["id"]


def test_one_runs_and_the_others_know_their_place(studio):
    client, generator, scene = studio
    generator.gate.clear()
    jobs = [client.draw(scene, seed=seed) for seed in range(4)]
    generator.entered.acquire()
    now = [client.got("GET", f"/api/jobs/{job['id']}") for job in jobs]
    assert [job["state"] for job in now] == ["running", "waiting", "waiting", "waiting"]
    assert [job["place"] for job in now] == [0, 1, 2, 3]
    assert now[0]["files"] == [] and now[0]["made"] is None
    client.got("POST", f"/api/jobs/{jobs[1]['id']}/cancel")
    assert client.got("GET", f"/api/jobs/{jobs[3]['id']}")["place"] == 2
    generator.gate.set()
    ends = [client.until(job, "done", "cancelled")["state"] for job in jobs]
    assert ends == ["done", "cancelled", "done", "done"]


def test_a_cancelled_job_shows_no_picture_and_can_go_on(studio):
    client, generator, scene = studio
    generator.gate.clear()
    job = client.draw(scene)
    generator.entered.acquire()
    client.got("POST", f"/api/jobs/{job['id']}/cancel")
    generator.gate.set()
    assert client.until(job, "cancelled")["files"] == []
    assert client.raw("GET", f"/api/jobs/{job['id']}/files/post.jpg")[0] == 404
    client.got("POST", f"/api/jobs/{job['id']}/resume")
    assert client.until(job, "done")["files"]


def test_a_restart_keeps_what_waits_and_marks_what_ran(tmp_path):
    root = tmp_path / "folder"
    with running(root) as (client, worker):
        scene = client.got("POST", "/api/scenes", {"sample": "farm"})["id"]
        done = client.until(client.draw(scene), "done")
        worker.generator.gate.clear()
        ran, waits = client.draw(scene, seed=1), client.draw(scene, seed=2)
        worker.generator.entered.acquire()
        worker.generator.entered.acquire()
        key = client.key
        # As a killed process leaves it: the file says that it runs.
        file = root / "jobs" / ran["id"] / "job.json"
        assert json.loads(file.read_text())["state"] == "running"
        kept = file.read_bytes()
    worker.generator.gate.set()
    file.write_bytes(kept)
    with running(root) as (client, _):
        assert client.key == key  # the page that is open in the browser is let in again
        assert client.got("GET", f"/api/jobs/{done['id']}")["state"] == "done"
        assert client.until(waits, "done")
        assert client.got("GET", f"/api/jobs/{ran['id']}")["state"] == "interrupted"
        client.got("POST", f"/api/jobs/{ran['id']}/resume")
        again = client.until(ran, "done")
        assert again["made"]["row"]["seed"] == 1


def test_a_build_lets_others_pass_and_goes_on(studio):
    client, generator, scene = studio
    generator.gate.clear()
    build = {"kind": "build", "name": "three", "hazards": ["wind"], "count": 3}
    job = client.got("POST", "/api/jobs", build)
    generator.entered.acquire()
    short = client.draw(scene)
    generator.gate.set()
    assert client.until(short, "done")
    made = client.until(job, "done")
    assert made["made"] == {"name": "three", "pairs": 3}


def test_a_full_line_is_said(studio, monkeypatch):
    from afterscene.studio import jobs

    client, generator, scene = studio
    monkeypatch.setattr(jobs, "LONGEST_LINE", 2)
    generator.gate.clear()
    first = client.draw(scene)
    generator.entered.acquire()
    rest = [client.draw(scene) for _ in range(2)]
    asked = {"kind": "aftermath", "scene": scene, "hazard": "wind"}
    status, said = client.ask("POST", "/api/jobs", asked)
    assert status == 413 and "wait" in said["error"]
    generator.gate.set()
    for job in (first, *rest):
        client.until(job, "done")


def test_a_fault_of_ours_is_one_failed_job(studio, monkeypatch):
    client, generator, scene = studio
    monkeypatch.setattr(type(generator), "drawn_as", lambda *_: 1 / 0)
    job = client.until(client.draw(scene), "failed")
    assert "Traceback" not in job["error"] and "division" not in job["error"]
    monkeypatch.undo()
    client.got("POST", f"/api/jobs/{job['id']}/resume")
    assert client.until(job, "done")

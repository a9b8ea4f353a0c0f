"""Every lesson runs at small size from its own file and leaves a figure that shows something."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COURSE = Path(__file__).resolve().parents[2] / "course"
LESSONS = sorted(COURSE.glob("[0-9][0-9]_*.py"))


def test_there_are_lessons():
    assert {path.name[:2] for path in LESSONS} >= {"01", "03", "04"}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_and_draws(path, tmp_path):
    small = {"AFTERSCENE_SMALL": "1", "AFTERSCENE_OUT": str(tmp_path), "OMP_NUM_THREADS": "1"}
    env = {k: v for k, v in os.environ.items() if k != "AFTERSCENE_DATA"} | small
    run = subprocess.run(
        [sys.executable, path], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert "drawn towns" in run.stdout
    figure = np.asarray(Image.open(tmp_path / f"{path.stem}.png"))
    assert figure.shape[0] > 100
    assert figure.shape[1] > 300
    assert len(np.unique(figure.reshape(-1, 3), axis=0)) > 30
    for animation in tmp_path.glob("*.gif"):
        assert Image.open(animation).n_frames > 3


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_a_percent_notebook(path):
    text = path.read_text()
    assert "format_name: percent" in text
    cells = [line for line in text.splitlines() if line.startswith("# %%")]
    assert len(cells) >= 6
    assert cells[0] == "# %% [markdown]"
    assert text.count(f"# # {path.stem[:2]} ") == 1
    assert f'lesson.figure("{path.stem}"' in text

"""The client of the how-to page runs as it is written."""

import re
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("uvicorn", reason="the extra studio is not installed")

from studioserver import running

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "studio.md"


def test_the_client_of_the_page_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "folder") as (client, _):
        address = f"http://127.0.0.1:{client.port}/?token={client.key}"
        exec(compile(code, str(PAGE), "exec"), {"ADDRESS": address})
    assert "manifest.jsonl" in zipfile.ZipFile("river.zip").namelist()
    assert len(capsys.readouterr().out.splitlines()) == 3

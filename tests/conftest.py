"""Fixtures that all rooms share. Real pairs are read where they are; nothing of them is copied."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: AFTERSCENE_DATA, else ``../shared/data`` beside the repository."""
    folder = Path(os.environ.get("AFTERSCENE_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "xbd" / "images").is_dir():
        pytest.skip(f"real xBD pairs are not there ({folder}/xbd); set AFTERSCENE_DATA")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT

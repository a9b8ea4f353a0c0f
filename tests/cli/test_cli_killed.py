"""A build that is killed from outside goes on and ends as the same tree."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import toys

SLOW = """
import sys, time, types
sys.path[:0] = {path!r}
import toys

class Slow(toys.ToyGenerator):
    def render(self, *args, **kwargs):
        time.sleep(0.1)
        return super().render(*args, **kwargs)

fake = types.ModuleType("afterscene.generators")
fake.load = lambda name: Slow()
sys.modules["afterscene.generators"] = fake
from afterscene.cli import main
sys.argv = ["afterscene", *sys.argv[1:]]
main()
"""


def start(arguments):
    script = SLOW.format(path=[str(Path(toys.__file__).parent)])
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AFTERSCENE_NO_PROGRESS": "1"},
    )


def wait_for_pairs(process, out, count):
    """Until this many pairs are recorded; fails where the process ends before."""
    until = time.monotonic() + 120
    while len(list((out / ".done").glob("*.jsonl"))) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until, "the build did not come so far in two minutes"
        time.sleep(0.02)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.parametrize(("kind", "code"), [("SIGKILL", -9), ("SIGTERM", 143)])
def test_a_killed_build_goes_on(tree, tmp_path, kind, code):
    command = ["gbd", "build", "--xbd", tree, "--hazard", "wildfire", "--count", 8, "--out"]
    killed = start([*command, tmp_path / "killed"])
    wait_for_pairs(killed, tmp_path / "killed", 2)
    killed.send_signal(getattr(signal, kind))
    killed.wait(timeout=60)
    assert killed.returncode == code
    assert not (tmp_path / "killed" / "manifest.jsonl").exists()
    for name in ("killed", "whole"):
        process = start([*command, tmp_path / name])
        assert process.wait(timeout=120) == 0, process.stderr.read()
    killed_files, whole = (toys.files_of(tmp_path / name) for name in ("killed", "whole"))
    assert killed_files.keys() == whole.keys()
    assert killed_files == whole

"""How long a build of a million finished tiles takes to start its next one, and its memory.

    python benchmarks/resume.py FOLDER [SHARDS]

Writes a plan of SHARDS shards of 16 tiles (62,500: a million) of which all but the last stand as
finished, then starts a build with a renderer that costs nothing, in a fresh process, and prints the
seconds from the start of that process to the first new picture, and its peak memory.
"""

import json
import subprocess
import sys
from pathlib import Path

SIZE = 16
CHILD = """
import time
started = time.time()
import re, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import toys
from afterscene import gbd

class First(toys.ToyGenerator):
    said = False
    def render(self, *args, **kwargs):
        if not First.said:
            First.said = True
            status = Path("/proc/self/status").read_text()  # ru_maxrss would tell the parent's
            peak = int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) / 1024
            wall, cpu = time.time() - started, time.process_time()
            text = f"first new tile after {wall:.2f} s ({cpu:.2f} s of processor), {peak:.0f} MB"
            sys.stdout.write(text + "\\n")
            sys.stdout.flush()
        return super().render(*args, **kwargs)

plan = gbd.read_plan(Path(sys.argv[2]))
gbd.build(plan, Path(sys.argv[3]), First(), rendering=gbd.Rendering())
"""


def main(folder: Path, shards: int) -> None:
    tests = Path(__file__).resolve().parents[1] / "tests"
    sys.path.insert(0, str(tests))
    import toys
    from afterscene import gbd
    from afterscene.files import prepare_output

    tree = toys.toy_tree(folder / "xbd")
    asked = {"hazards": ("wind",), "count": SIZE, "seed": 1}
    toys.plan_file(folder / "small.jsonl", tree, shard_size=SIZE, **asked)
    head, line = (folder / "small.jsonl").read_text().splitlines()
    top = json.loads(head)
    top["count"] = top["settings"]["count"] = shards * SIZE
    path = folder / "plan.jsonl"
    with path.open("w") as file:
        file.write(json.dumps(top) + "\n")
        file.writelines(line + "\n" for _ in range(shards))
    plan = gbd.read_plan(path)
    rendering = gbd.Rendering()
    settings = {**plan.settings, **rendering.settings(toys.ToyGenerator.hash)}
    out = prepare_output(folder / "out", "gbd build", run=settings)
    (out / ".done").mkdir()
    first = out / ".done" / "0000000.jsonl"
    first.write_text((json.dumps({"id": "x", "levels": {}}) + "\n") * SIZE)
    for number in range(1, shards - 1):
        (out / ".done" / f"{number:07d}.jsonl").hardlink_to(first)
    sys.stdout.write(f"{(shards - 1) * SIZE:,} finished tiles, plan of ")
    sys.stdout.write(f"{path.stat().st_size / 2**20:.0f} MB\n")
    sys.stdout.flush()
    run = [sys.executable, "-c", CHILD, str(tests), str(path), str(out)]
    child = subprocess.Popen(run, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    sys.stdout.write(child.stdout.readline())
    child.kill()  # gathering the manifest of a million simulated rows is not what is measured
    child.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 62_500)

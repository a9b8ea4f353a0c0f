"""Tiles per second of one and of two workers, with a renderer that only computes.

    python benchmarks/workers.py FOLDER [PAIRS]

The renderer multiplies small matrices that stay in the cache for about half a second, so that
neither memory nor disk holds it up; the time is from the first record to the last, without the
start of the processes. Run it on a machine with two idle cores.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np

import toys
from afterscene import gbd


@dataclass(frozen=True)
class Busy:
    """A toy picture after some ten thousand products of 64 x 64 matrices."""

    rounds: int = 12_000
    hash: str = toys.ToyGenerator.hash
    drawn_as = toys.ToyGenerator.drawn_as

    def render(self, pre, damage, *, seed, **kwargs):
        matrix = np.random.default_rng(seed).standard_normal((64, 64)) / 8
        product = np.eye(64)
        for _ in range(self.rounds):
            product = np.tanh(matrix @ product)
        return toys.ToyGenerator().render(pre, damage, seed=seed)


def rate(stored: gbd.Plan, out: Path, workers: int) -> float:
    """Tiles per second from the first finished tile to the last."""
    times: list[float] = []
    options = gbd.RunOptions(workers=workers, on_progress=lambda n: times.append(time.monotonic()))
    gbd.build(stored, out, Busy(), rendering=gbd.Rendering(), options=options)
    start = times[workers]  # the first call tells what was there, then one for each tile
    return (len(times) - 1 - workers) / (times[-1] - start)


def main(folder: Path, pairs: int) -> None:
    tree = toys.toy_tree(folder / "xbd")
    asked = {"hazards": ("wind",), "count": pairs, "seed": 1}
    stored = toys.plan_file(folder / "plan.jsonl", tree, shard_size=1, **asked).plan
    one = rate(stored, folder / "one", 1)
    two = rate(stored, folder / "two", 2)
    sys.stdout.write(f"1 worker {one:.3f} tiles/s, 2 workers {two:.3f}, ratio {two / one:.2f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)

"""Time the stations of the pipeline on the samples: ``python -m benchmarks [--json]``.

``python -m benchmarks speed`` and ``python -m benchmarks samplers`` run the comparisons with
diffusers (``--help`` tells their options).

Each station runs a few times after one warm-up; the median is shown. The scene is 1024 x 1024,
the size of an xBD tile.
"""

import argparse
import importlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from afterscene import generators, samples, shipped
from afterscene.detectors import DETECTORS, Detector
from afterscene.detectors.detector import build_network
from afterscene.diffusion.noise import field
from afterscene.geodata.damage import Building, rasterize
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.geodata.tiles import Window
from afterscene.hazards import HAZARDS, make_hazard
from afterscene.metrics.confusion import Confusion

SIDE = 1024
COMPARISONS = (
    *("ablations", "detectors", "evidence", "film", "learning", "registration", "samplers"),
    *("sketches", "speed", "texture", "water"),
)
Station = tuple[str, int, Callable[[], object]]


def stations(folder: Path) -> Iterator[Station]:
    """(name, repeats, work) of each station."""
    scene, buildings = four_samples()
    damage = make_hazard("wildfire", 0.8)(scene, buildings, np.random.default_rng(0))
    target = rasterize(damage.buildings, scene.shape)
    path = folder / "town.png"
    yield "write PNG", 3, lambda: write_scene(scene, path)
    yield "read PNG", 5, lambda: read_scene(path)
    for name in HAZARDS:
        hazard = make_hazard(name, 0.8)
        work = lambda h=hazard: h(scene, buildings, np.random.default_rng(0))  # noqa: E731
        yield f"hazard {name}", 3, work
    yield "rasterise the target", 5, lambda: rasterize(damage.buildings, scene.shape)
    yield "score one tile", 5, lambda: Confusion().add(target, target, target)
    yield "noise of a scene", 3, lambda: field(1, 0, Window(0, 0, SIDE, SIDE), 3)
    for name, config in DETECTORS.items():
        torch.manual_seed(0)
        detector = Detector(build_network(config), config)
        yield f"detect ({name})", 2, lambda d=detector: d.predict(scene, scene)
    for name in shipped.models("bridge"):
        generator = generators.load(name)
        for mode in ("edit", "reacquire"):
            work = lambda g=generator, m=mode: g.render(scene, damage, seed=0, mode=m)  # noqa: E731
            yield f"render ({name}, {mode})", 1, work


def four_samples() -> tuple[Scene, list[Building]]:
    """Four samples side by side: a scene of SIDE x SIDE."""
    parts, buildings = [], []
    for number, name in enumerate(("suburb", "dense-city", "river", "forest-edge")):
        scene, found = samples.read_sample(name)
        row, col = divmod(number, 2)
        parts.append(scene.rgb())
        buildings += [one.moved(col * SIDE // 2, row * SIDE // 2) for one in found]
    rows = [np.concatenate(parts[k : k + 2], axis=1) for k in (0, 2)]
    return Scene.of_rgb(np.concatenate(rows), "four samples"), buildings


def measure(repeats: int, work: Callable[[], object]) -> float:
    """Median seconds over the repeats, after one run to warm up where the work is short."""
    if repeats > 1:
        work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    """Run all stations and print the table, or the comparison that is named."""
    if sys.argv[1:2] and sys.argv[1] in COMPARISONS:
        importlib.import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, repeats, work in stations(Path(folder)):
            rows.append({"station": name, "seconds": round(measure(repeats, work), 4)})
            if not arguments.json:
                print(f"{name:32s} {rows[-1]['seconds']:9.3f} s", flush=True)
    if arguments.json:
        print(json.dumps({"side": SIDE, "threads": torch.get_num_threads(), "stations": rows}))


if __name__ == "__main__":
    main()

"""A film of 24 frames beside 24 scenes, hazard by hazard, in one run.

    python -m benchmarks film [--frames 24] [--rounds 3] [--out FILE]

For each hazard a sample, and two works in turn: all frames of a film (`afterscene.gbd.film`), and
one scene as `synthesize` draws it, the time of which counts `--frames` times. The median of the
rounds of processor seconds counts; reading and writing files is in neither. Counted as well: the
buildings whose level falls from a frame to the next, and the pixels that are the same in the first
and the last frame but not in one between them that nothing is painted over (*edit*).
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from afterscene import gbd, samples
from afterscene.files import write_json
from afterscene.gbd.film import Film
from afterscene.gbd.pair import make_post
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import XbdLabel
from afterscene.hazards import HAZARDS

PLACES = {
    **dict(earthquake="dense-city", wind="suburb", tornado="farm", wildfire="forest-edge"),
    **dict(flood="river", tsunami="coast", volcano="hillside"),
}
SEVERITY, SEED = 0.9, 3


def film_of(hazard: str, generator: gbd.Generator, frames: int) -> Film:
    scene, buildings = samples.read_sample(PLACES.get(hazard, "suburb"))
    source = gbd.Source(id=f"{hazard}_0", event=hazard, pre=Path(), label=Path())
    plan = gbd.plan_each([source], hazard, severity=SEVERITY, seed=SEED, parameters={})
    (item,) = plan.items
    label = XbdLabel(path=Path(), buildings=tuple(buildings), metadata={})
    return Film(item, Scene.of_rgb(scene.rgb()), label, gbd.Rendering(), generator, frames)


def seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(hazard: str, generator: gbd.Generator, frames: int, rounds: int) -> dict:
    film = film_of(hazard, generator, frames)
    scene = lambda: make_post(film.item, film.scene, film.label, film.rendering, generator)  # noqa: E731
    whole, alone = [], []
    scene()  # warms up
    for _ in range(rounds):
        film = film_of(hazard, generator, frames)
        whole.append(seconds(lambda f=film: [f.picture(k) for k in range(frames)]))
        alone.append(seconds(scene))
    levels = film.levels
    before, after = film.picture(0), film.picture(frames - 1)
    same = (before == after).all(axis=2)
    moved = sum(int((film.standing(k)[same] != before[same]).sum()) for k in range(1, frames - 1))
    film_s, scene_s = statistics.median(whole), statistics.median(alone)
    return {
        "name": hazard,
        "values": {
            "film": round(film_s, 2),
            "scene": round(scene_s, 2),
            "ratio": round(film_s / (frames * scene_s), 3),
            "buildings": levels.shape[1],
            "falling": int((np.diff(levels, axis=0) < 0).any(axis=0).sum()),
            "moved": moved,
        },
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    generator, rows = gbd.load_generator(), []
    for hazard in HAZARDS:
        rows.append(measure(hazard, generator, asked.frames, asked.rounds))
        print(rows[-1], flush=True)
    if asked.out:
        write_json(asked.out, {"frames": asked.frames, "rounds": asked.rounds, "rows": rows})


if __name__ == "__main__":
    main()

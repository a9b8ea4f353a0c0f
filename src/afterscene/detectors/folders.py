"""Predictions for a whole tree, in the official xView2 layout or under the tiles' own names."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from afterscene.detectors.detector import Detector
from afterscene.errors import BadParameter, MissingFile
from afterscene.files import prepare_output, write_json
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.geodata.xbd import Pair
from afterscene.metrics.folders import write_official

Layout = Literal["stem", "xview2"]


def predict_folder(
    detector: Detector,
    pairs: Sequence[Pair],
    out: Path | str,
    *,
    layout: Layout = "stem",
    flips: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Predict every pair that has a post image; returns and writes ``index.json``, one row each.

    ``stem``: ``{id}_post_disaster_prediction.png``, 0 background and 1..4, on the pre image's
    grid. ``xview2``: ``test_{localization|damage}_{5 digits}_prediction.png``, numbered in the
    order of `pairs`; tiles must be 1024 x 1024. Raises MissingFile, BadImage, BadParameter,
    OutputConflict.
    """
    if layout not in ("stem", "xview2"):
        raise BadParameter(f"layout '{layout}' is not known; choose stem or xview2")
    todo = [pair for pair in pairs if pair.post is not None]
    if not todo:
        raise MissingFile("no pair has a post image; give a folder with both")
    out = prepare_output(out, "predictions", run={"layout": layout, "pairs": [p.id for p in todo]})
    rows = []
    for number, pair in enumerate(todo):
        assert pair.post is not None
        pre = read_scene(pair.pre)
        found = detector.predict(pre, read_scene(pair.post), flips=flips)
        if layout == "xview2":
            files = [
                write_official(out, number, "localization", found.localization),
                write_official(out, number, "damage", found.target),
            ]
        else:
            files = [out / f"{pair.id}_post_disaster_prediction.png"]
            mask = np.ones(pre.shape, dtype=bool)
            scene = Scene(
                pixels=found.target[None], valid=mask, crs=pre.crs, transform=pre.transform
            )
            write_scene(scene, files[0])
        levels = np.bincount(found.target.ravel(), minlength=5).tolist()
        rows.append({"id": pair.id, "files": [f.name for f in files], "pixels": levels})
        if progress is not None:
            progress(number + 1, len(todo))
    write_json(out / "index.json", rows)
    return rows

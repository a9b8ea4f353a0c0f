"""What :class:`~afterscene.depiction.Evidence` finds on pictures whose land use is known.

    python -m benchmarks evidence --data UCMERCED [--each 20] [--json]

Per class of a folder of land-use pictures (one sub-folder a class, such as UC Merced's, 0.3 m): the
mean share of crowns and of water over the first pictures. Woods should be crowns and nothing else,
rivers, beaches and harbours partly water, fields, car parks and runways neither.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from afterscene.depiction import Evidence

GSD = 0.3


def shares(folder: Path, each: int) -> tuple[float, float]:
    """Mean (crowns, water) over the first pictures of a class."""
    found = []
    for path in sorted(folder.glob("*.jpg"))[:each]:
        with Image.open(path) as image:
            picture = np.asarray(image.convert("RGB"), np.float32) / 255
        seen = Evidence(picture=picture, roofs=np.zeros(picture.shape[:2], bool), gsd=GSD)
        found.append((float(seen.canopy.mean()), float(seen.water.mean())))
    crowns, water = np.mean(found, axis=0)
    return float(crowns), float(water)


def main(args: Sequence[str] | None = None) -> int:
    """Print a table, most crowns first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(args)
    folders = [f for f in sorted(chosen.data.iterdir()) if any(f.glob("*.jpg"))]
    rows = {f.name: shares(f, chosen.each) for f in folders}
    if chosen.json:
        print(json.dumps({n: {"crowns": c, "water": w} for n, (c, w) in rows.items()}))
        return 0
    print(f"{'class':<20} crowns  water")
    for name, (crowns, water) in sorted(rows.items(), key=lambda row: -row[1][0]):
        print(f"{name:<20} {crowns:6.3f} {water:6.3f}")
    return 0

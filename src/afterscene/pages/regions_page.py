"""One page about chosen regions: a map of all candidates and chosen places, and the three factors.

The map is equirectangular (x = longitude, y = latitude). Candidates are dots, brighter for a larger
weight; continents are visible only through their towns, nothing else is drawn.
"""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from afterscene.files import write_atomic, write_json
from afterscene.gbd.vulnerable import WeighedPlace, caveats
from afterscene.pages.render import write_page
from afterscene.regions.places import Place

WIDTH, NORTH, SOUTH = 1440, 75.0, -58.0
SCALE = WIDTH / 360
RINGS = (
    *((230, 80, 60), (70, 160, 250), (240, 200, 60), (250, 140, 40)),
    *((80, 210, 190), (170, 120, 240), (240, 120, 190)),
)


def world(
    places: Sequence[Place], candidates: Sequence[WeighedPlace], chosen: Sequence[WeighedPlace]
) -> np.ndarray:
    """(H, W, 3) uint8: towns grey, candidates by weight, chosen places ringed by hazard."""
    height = int((NORTH - SOUTH) * SCALE)
    picture = np.full((height, WIDTH, 3), (18, 22, 30), np.uint8)
    for lat in range(-30, 61, 30):
        cv2.line(picture, _xy(-180, lat), _xy(180, lat), (38, 44, 54), 1)
    for place in places:
        cv2.circle(picture, _xy(place.lng, place.lat), 1, (70, 78, 90), -1)
    if candidates:
        logs = np.log10([c.weight for c in candidates])
        low, high = logs.min(), max(logs.max(), logs.min() + 1e-9)
        for k in np.argsort(logs):
            shade = int(90 + 140 * (logs[k] - low) / (high - low))
            place = candidates[k].place
            cv2.circle(picture, _xy(place.lng, place.lat), 1, (shade, shade, 150), -1)
    rings = _rings(chosen)
    for candidate in chosen:
        colour = rings[candidate.hazard]
        point = _xy(candidate.place.lng, candidate.place.lat)
        cv2.circle(picture, point, 7, colour, 2, cv2.LINE_AA)
        cv2.circle(picture, point, 2, colour, -1, cv2.LINE_AA)
    for k, (hazard, colour) in enumerate(rings.items()):
        y = height - 14 - 22 * (len(rings) - 1 - k)
        cv2.circle(picture, (20, y - 5), 6, colour, 2, cv2.LINE_AA)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(picture, hazard, (34, y), font, 0.5, (220, 220, 220), 1, cv2.LINE_AA)
    return picture


def _rings(chosen: Sequence[WeighedPlace]) -> dict[str, tuple[int, int, int]]:
    hazards = dict.fromkeys(candidate.hazard for candidate in chosen)
    return dict(zip(hazards, cycle(RINGS), strict=False))


def _xy(lng: float, lat: float) -> tuple[int, int]:
    return int((lng + 180) * SCALE), int((NORTH - np.clip(lat, SOUTH, NORTH)) * SCALE)


def write_regions(
    places: Sequence[Place],
    candidates: Sequence[WeighedPlace],
    chosen: Sequence[WeighedPlace],
    out: Path,
) -> list[Path]:
    """``regions.html``, ``regions.json``, ``regions.geojson`` and ``map.png`` in ``out``."""
    picture = world(places, candidates, chosen)
    rows = [c.as_json() for c in chosen]
    features = [
        {
            "type": "Feature",
            "properties": row,
            "geometry": {"type": "Point", "coordinates": [row["lng"], row["lat"]]},
        }
        for row in rows
    ]
    words = caveats(candidates)
    page = write_page(
        out / "regions.html",
        "regions.html",
        caveats=words,
        map=picture,
        rings=_rings(chosen),
        chosen=rows,
        candidates=len(candidates),
        bases=sorted({f"{c.hazard}: {c.basis}" for c in candidates}),
    )
    _, png = cv2.imencode(".png", picture[..., ::-1])
    return [
        page,
        write_json(out / "regions.json", {"regions": rows, "caveats": list(words)}),
        write_json(out / "regions.geojson", {"type": "FeatureCollection", "features": features}),
        write_atomic(out / "map.png", png.tobytes()),
    ]

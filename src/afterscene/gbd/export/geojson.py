"""GeoJSON (RFC 7946): the buildings of the set as one FeatureCollection in WGS84 degrees.

Beside the features stand the members that RFC 7946 leaves to its users: the synthetic mark, the
combined licence, and how many buildings were left out because their place is not known.
"""

import json
from pathlib import Path

from shapely.geometry import mapping

from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export.places import placed


def export_geojson(dataset: Dataset, out: Path) -> list[Path]:
    """``buildings.geojson``. Raises BadLabel where no building has a place."""
    properties, outlines, left_out = placed(dataset)
    document = {
        "type": "FeatureCollection",
        "synthetic": all(p["synthetic"] for p in properties),
        "licence": dataset.terms.licence,
        "left_out_without_place": left_out,
        "features": [
            {"type": "Feature", "properties": p, "geometry": mapping(outline)}
            for p, outline in zip(properties, outlines, strict=True)
        ],
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return [write_atomic(out / "buildings.geojson", (text + "\n").encode())]

"""Cloud-optimised GeoTIFF: each image of the set as a COG with georeference, mark and licence.

xBD's PNG are not georeferenced; here the affine map of the label is used
(:mod:`afterscene.geodata.fit`), in degrees. An image without a known position becomes a COG without
georeference. Pixels are those of the PNG.
"""

from pathlib import Path

from affine import Affine

from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.gbd.export.places import CRS
from afterscene.gbd.pair import MARK
from afterscene.geodata.encode import encode_cog
from afterscene.geodata.fit import fit_lnglat
from afterscene.geodata.scene import read_scene, read_tags


def export_cog(dataset: Dataset, out: Path) -> list[Path]:
    """``{pair}_{pre|post}_disaster.tif``."""
    made = []
    for entry in dataset:
        fit = fit_lnglat(entry.label.buildings)
        for path in (entry.pre, entry.post):
            if path is not None:
                name = out / f"{path.stem}.tif"
                made.append(write_atomic(name, _cog(entry, path, fit and fit.affine)))
    return made


def _cog(entry: Entry, path: Path, affine: Affine | None) -> bytes:
    scene = read_scene(path)
    crs, transform = (scene.crs, scene.transform) if scene.transform else (CRS, affine)
    tags = {k: v for k, v in read_tags(path).items() if k.startswith("AFTERSCENE_")}
    drawn = entry.synthetic and path == entry.post
    tags |= {"LICENCE": entry.licence, **({MARK: "true"} if drawn else {"synthetic": "false"})}
    placed = {"crs": crs, "transform": transform} if transform is not None else {}
    return encode_cog(scene.replace(**placed), tags)

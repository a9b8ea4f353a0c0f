"""Where and when the pictures of a set were taken: what the geographic formats have in common."""

from datetime import UTC, datetime

from shapely.affinity import affine_transform
from shapely.geometry import Polygon, box
from shapely.geometry.polygon import orient

from afterscene.gbd.dataset import Entry
from afterscene.geodata.fit import fit_lnglat

CRS = "EPSG:4326"


def frame(entry: Entry) -> Polygon | None:
    """The picture's outline in degrees, counter-clockwise; None where the place is not known."""
    fit = fit_lnglat(entry.label.buildings)
    if fit is None:
        return None
    height, width = entry.shape
    a, b, c, d, e, f = fit.affine[:6]
    return orient(affine_transform(box(0, 0, width, height), (a, b, d, e, c, f)))


def capture_time(entry: Entry) -> datetime | None:
    """When the pre picture was taken; None where its label does not tell."""
    said = (entry.pre_label or entry.label).metadata.get("capture_date")
    try:
        time = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)

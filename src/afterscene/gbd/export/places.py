"""Where and when the images of a set were taken, for the geographic formats."""

from datetime import UTC, datetime

from shapely.affinity import affine_transform
from shapely.geometry import Polygon, box
from shapely.geometry.polygon import orient

from afterscene.gbd.dataset import Entry
from afterscene.geodata.fit import fit_lnglat

CRS = "EPSG:4326"


def frame(entry: Entry) -> Polygon | None:
    """The image's outline in degrees, counter-clockwise; None if the position is not known."""
    fit = fit_lnglat(entry.label.buildings)
    if fit is None:
        return None
    height, width = entry.shape
    a, b, c, d, e, f = fit.affine[:6]
    return orient(affine_transform(box(0, 0, width, height), (a, b, d, e, c, f)))


def capture_time(entry: Entry) -> datetime | None:
    """When the pre image was taken; None if its label does not say."""
    said = (entry.pre_label or entry.label).metadata.get("capture_date")
    try:
        time = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)

"""A picture of the ground that knows where, when, and which of its pixels are real.

Pixels never travel without their valid mask, CRS, transform and time: whatever is computed from a
:class:`Scene` can be written back on its grid. Models see eight-bit RGB, :meth:`Scene.rgb`; how
16-bit and float values get there is one documented rule, :meth:`Scene.stretch`, whose numbers can
be recorded and applied to the other image of a pair.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
from affine import Affine

from afterscene.errors import BadParameter
from afterscene.files import write_atomic
from afterscene.geodata import encode
from afterscene.geodata.border import seen_pixels
from afterscene.geodata.crs import known_crs
from afterscene.geodata.decode import decode, moved
from afterscene.geodata.grid import Grid
from afterscene.geodata.tags import TIME_TAG, read_tags
from afterscene.geodata.tiles import Window

__all__ = ["Scene", "read_scene", "read_tags", "write_scene"]

Stretch = tuple[tuple[float, float], ...]
_NO_TAGS: Mapping[str, str] = MappingProxyType({})


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """One overhead image.

    `pixels` is (bands, H, W) uint8, uint16 or float32 with 1, 3 (RGB) or 4 (RGB + near infrared)
    bands; `valid` is (H, W) bool, False for nodata; `crs` is WKT or ``EPSG:n``; `transform` maps
    (column, row) to CRS units; `source` tells where it came from. Raises BadParameter.
    """

    pixels: np.ndarray
    valid: np.ndarray
    crs: str | None = None
    transform: Affine | None = None
    time: datetime | None = None
    source: str = ""

    def __post_init__(self) -> None:
        where = f"scene {self.source!r}: " if self.source else "scene: "
        if self.pixels.ndim != 3 or len(self.pixels) not in (1, 3, 4) or 0 in self.pixels.shape:
            raise BadParameter(
                f"{where}pixels have shape {self.pixels.shape}; give (1, 3 or 4 bands, H, W)"
            )
        if self.pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise BadParameter(
                f"{where}pixels are {self.pixels.dtype}; give uint8, uint16 or float32"
            )
        if self.valid.shape != self.shape or self.valid.dtype != bool:
            raise BadParameter(
                f"{where}valid is {self.valid.dtype} of shape {self.valid.shape}; "
                f"give bool of shape {self.shape}"
            )

    @classmethod
    def of_rgb(cls, picture: np.ndarray, source: str = "") -> "Scene":
        """A scene without a place from ``(H, W, 3)`` uint8; every pixel is valid."""
        pixels = np.ascontiguousarray(np.moveaxis(picture, 2, 0))
        return cls(pixels=pixels, valid=np.ones(picture.shape[:2], bool), source=source)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def bands(self) -> int:
        """1, 3 or 4."""
        return len(self.pixels)

    @cached_property
    def grid(self) -> Grid:
        """Its pixels as a grid; the source names the image."""
        image = Path(self.source) if self.source else None
        return Grid(shape=self.shape, crs=self.crs, transform=self.transform, image=image)

    @property
    def gsd(self) -> float | None:
        """Metres per pixel at the centre, None where nothing tells: :attr:`Grid.gsd`."""
        return self.grid.gsd

    @property
    def placed(self) -> bool:
        """Whether its pixels are places on the Earth: :attr:`Grid.placed`."""
        return self.grid.placed

    def lnglat(self, xy: np.ndarray) -> np.ndarray:
        """(n, 2) pixel coordinates (column, row) to (n, 2) WGS84 longitude and latitude.

        Infinite where a pixel has no place. Raises BadParameter: the scene has none.
        """
        if self.crs is None or self.transform is None:
            raise BadParameter(f"scene {self.source!r} has no CRS and transform; use a GeoTIFF")
        return self.grid.to_degrees()(xy)

    def stretch(self) -> Stretch:
        """(low, high) per RGB band that :meth:`rgb` maps to 0 and 255.

        uint8 stays as it is: (0, 255). Other types: the 2nd and 98th percentile of the band's
        valid pixels. Record it beside what was made from the picture.
        """
        bands = self.pixels[:3]
        if bands.dtype == np.uint8:
            return ((0.0, 255.0),) * len(bands)
        if not self.valid.any():
            return ((0.0, 1.0),) * len(bands)
        limits = np.percentile(bands[:, self.valid].astype(np.float64), (2, 98), axis=1)
        return tuple((float(low), float(high)) for low, high in limits.T)

    def rgb(self, *, stretch: Sequence[tuple[float, float]] | None = None) -> np.ndarray:
        """(H, W, 3) uint8: grey is repeated, a fourth band left out, nodata is 0.

        ``round(255 (v - low) / (high - low))`` with the limits of :meth:`stretch`, or those given
        (the other image's, so that a pair stays comparable). A constant band becomes 0.
        """
        bands = self.pixels[:3]
        if bands.dtype != np.uint8 or stretch is not None:
            limits = np.array(self.stretch() if stretch is None else stretch, np.float32)
            low, high = limits[:, 0, None, None], limits[:, 1, None, None]
            span = np.where(high > low, high - low, np.inf)
            scaled = (np.where(self.valid, bands, low).astype(np.float32) - low) / span
            bands = np.rint(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
        bands = np.where(self.valid, bands, np.uint8(0))
        return np.ascontiguousarray(np.moveaxis(np.broadcast_to(bands, (3, *self.shape)), 0, 2))

    @property
    def picture(self) -> np.ndarray:
        """:meth:`rgb` to read only: no copy where the pixels are 8-bit RGB without nodata."""
        plain = self.bands == 3 and self.pixels.dtype == np.uint8 and self.valid.all()
        picture = np.moveaxis(self.pixels, 0, 2) if plain else self.rgb()
        picture.flags.writeable = False
        return picture

    @cached_property
    def seen(self) -> np.ndarray:
        """(H, W) bool: `valid`, without the black padding of an 8-bit picture that has no mask.

        A picture that is black all over has no padding: nothing stands out from it.
        """
        if self.pixels.dtype != np.uint8 or not self.valid.all():
            return self.valid
        found = seen_pixels(self.rgb(), self.valid)
        return found if found.any() else self.valid

    def crop(self, window: Window) -> "Scene":
        """The part under `window`, with the transform moved along. Raises BadParameter."""
        if not window.lies_in(self.shape):
            raise BadParameter(f"{window} does not lie inside a scene of {self.shape}; move it")
        transform = None if self.transform is None else moved(self.transform, window)
        rows, cols = window.slices
        return self.replace(
            pixels=self.pixels[:, rows, cols], valid=self.valid[rows, cols], transform=transform
        )

    def replace(self, **changes: object) -> "Scene":
        """A copy with some fields changed (and all of them checked again)."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def read_scene(
    path: str | Path, *, window: Window | None = None, bands: Sequence[str] = ()
) -> Scene:
    """Read a PNG, JPEG or GeoTIFF; `window` reads a part, for GeoTIFFs too large to hold.

    `bands` is what a catalogue calls the bands of a file that does not say it itself.
    The rules for odd files are those of :mod:`afterscene.geodata.decode`. Raises MissingFile
    where there is no file, BadImage where it cannot be used.
    """
    path = Path(path)
    return Scene(**decode(path, window, bands)._asdict(), source=path.name)


def write_scene(scene: Scene, path: str | Path, *, tags: Mapping[str, str] = _NO_TAGS) -> None:
    """Write by suffix, atomically; `tags` (such as the synthetic mark) can be read again.

    GeoTIFF keeps all; PNG keeps uint8 and uint16; JPEG keeps uint8 of 1 or 3 bands, all valid.
    Raises BadParameter for what the format cannot hold, OutputConflict where it cannot be written.
    """
    path = Path(path)
    texts = {str(k): str(v) for k, v in tags.items()}
    if scene.time is not None:
        texts[TIME_TAG] = scene.time.isoformat()
    encode.check_writable(path, scene)
    if scene.crs is not None:
        known_crs(scene.crs)
    write_atomic(path, encode.encode(path.suffix.lower(), scene, texts))

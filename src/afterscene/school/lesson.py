"""What every lesson needs: pictures, a budget, a figure. No lesson's idea is hidden in here.

Environment: ``AFTERSCENE_DATA`` is the folder that holds ``ucmerced/`` (real overhead images);
without it the lessons run on the samples. ``AFTERSCENE_SMALL=1`` shrinks every lesson to seconds.
Figures and animations are saved in ``out/figures`` of the current folder; in a notebook they are
shown under their cell, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from afterscene import samples
from afterscene.files import visible
from afterscene.geodata.damage import rasterize
from afterscene.school.sheets import save_film, sheet, sheet_row
from afterscene.tensors import from_pixels

SMALL = os.environ.get("AFTERSCENE_SMALL") == "1"
KINDS = ("forest", "beach", "freeway", "denseresidential")


def budget(full: int, small: int) -> int:
    """``full``, or ``small`` where the lesson only has to show that it runs."""
    return small if SMALL else full


def note(text: str) -> None:
    """A sentence with a measured number, to the output of the cell."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """``x (M, 3, size, size)`` floats in [-1, 1], ``label (M,)`` int64 and the labels' names."""

    x: Tensor
    label: Tensor
    names: tuple[str, ...]
    source: str

    def split(self, held_out: int) -> tuple[Pictures, Pictures]:
        """The last ``held_out`` pictures apart from the others."""

        def part(rows: slice) -> Pictures:
            return Pictures(
                x=self.x[rows], label=self.label[rows], names=self.names, source=self.source
            )

        return part(slice(None, -held_out)), part(slice(-held_out, None))


def pictures(size: int, count: int, *, seed: int = 0) -> Pictures:
    """Crops of real images where they are, else of the samples; about 1 m per pixel."""
    folder = os.environ.get("AFTERSCENE_DATA")
    real = Path(folder) / "ucmerced" if folder else None
    rng = np.random.default_rng(seed)
    names: tuple[str, ...]
    if real is not None and real.is_dir():
        crops, label = _real(real, size, count, rng)
        names, source = KINDS, "UC Merced land use, USGS"
    else:
        crops, label = _samples(size, count, rng)
        names, source = ("open land", "houses"), "the samples of the package"
    x = from_pixels(np.stack(crops))
    return Pictures(x=x, label=torch.tensor(label), names=names, source=source)


def _real(
    folder: Path, size: int, count: int, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[int]]:
    loaded = []
    for index, kind in enumerate(KINDS):
        for path in (p for p in visible(folder / kind) if p.suffix == ".jpg"):
            with Image.open(path) as image:
                loaded.append((index, np.asarray(image.convert("RGB").reduce(3))))
    crops, label = [], []
    for pick in rng.integers(len(loaded), size=count):
        index, image = loaded[pick]
        row, col = (int(rng.integers(side - size + 1)) for side in image.shape[:2])
        crops.append(image[row : row + size, col : col + size])
        label.append(index)
    return crops, label


def _samples(size: int, count: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[int]]:
    """Crops of the eight samples, each turned or mirrored."""
    places = []
    for name in samples.names():
        scene, buildings = samples.read_sample(name)
        image = np.asarray(Image.fromarray(scene.rgb()).reduce(2))
        places.append((image, rasterize(buildings, scene.shape)[::2, ::2] > 0))
    crops: list[np.ndarray] = []
    label: list[int] = []
    for pick in rng.integers(len(places), size=count):
        image, houses = places[pick]
        row, col = (int(rng.integers(side - size + 1)) for side in houses.shape)
        here = (slice(row, row + size), slice(col, col + size))
        turned = np.rot90(image[here], int(rng.integers(4)))
        crops.append(turned[:, ::-1] if rng.random() < 0.5 else turned)
        label.append(int(houses[here].mean() > 0.1))
    return crops, label


def texture_distance(a: Tensor, b: Tensor) -> float:
    """How differently neighbours differ: 0 for the same texture, in units of [-1, 1].

    The differences between neighbouring pixels, across and down, of all pictures ``(N, 3, H, W)``
    make one distribution; the figure is the Wasserstein-1 distance of the two distributions. Fog
    has differences that are too small, confetti too large ones.
    """

    def quantiles(x: Tensor) -> np.ndarray:
        parts = (x.diff(dim=2).flatten(), x.diff(dim=3).flatten())
        return np.quantile(torch.cat(parts).numpy(), np.linspace(0.002, 0.998, 250))

    return float(np.abs(quantiles(a) - quantiles(b)).mean())


def plane(points: Tensor, *, reach: float = 3.0, side: int = 128) -> Tensor:
    """Points ``(M, 2)`` as a picture ``(3, side, side)``: how many lie where, dark is many.

    The picture shows the square from -reach to reach, the second coordinate upwards.
    """
    edges = np.linspace(-reach, reach, side + 1)
    counts, _, _ = np.histogram2d(-points[:, 1].numpy(), points[:, 0].numpy(), bins=[edges, edges])
    return shade(torch.from_numpy(counts).float().sqrt())


def shade(values: Tensor) -> Tensor:
    """Values ``(H, W)``, at least 0, as a picture ``(3, H, W)``: 0 is white, the largest blue."""
    share = (values / values.max().clamp_min(1e-12))[None]
    return 1 - share * torch.tensor([1.9, 1.3, 0.6])[:, None, None]


def figure(name: str, rows: Sequence[tuple[str, Tensor]], *, side: int = 64) -> None:
    """Save and show rows of pictures ``(N, 3, H, W)`` in [-1, 1], each under its title."""
    path = _out() / f"{name}.png"
    sheet(rows, side=side).save(path)
    titles = "; ".join(" ".join(title.split()) for title, _ in rows)
    _show(path, f"Pictures, from above: {titles}")


def animation(name: str, states: Iterable[Tensor], *, side: int = 64, pause: int = 80) -> None:
    """Save and show states ``(N, 3, H, W)`` of a generation as a film, pictures side by side."""
    path = _out() / f"{name}-film.png"
    save_film([sheet_row(x, side) for x in states], path, pause=pause, last=1500)
    _show(path, f"Film: {name[3:].replace('_', ' ')}, step by step")


def _show(path: Path, says: str) -> None:
    """The picture under its cell, where a notebook is running. ``says`` is what it shows."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.display import Image as Shown
        from IPython.display import display

        display(Shown(filename=path), metadata={"filename": path.name, "alt": says})


def _out() -> Path:
    out = Path("out/figures")
    out.mkdir(parents=True, exist_ok=True)
    return out

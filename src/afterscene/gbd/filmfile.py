"""Films as files: GIF by Pillow, MP4 (H.264) by the ffmpeg of ``imageio-ffmpeg``.

A GIF has 256 colours. They are chosen once for the whole film, and shades between them are dithered
by a pattern that is fixed to the place (Bayer 1973), so that what does not change in the film does
not change in the file either. Both files carry the tags of their last frame in a comment, with the
synthetic mark.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from afterscene.errors import BadParameter, MissingExtra, OutputConflict
from afterscene.files import write_atomic
from afterscene.geodata.scene import read_scene

SUFFIXES = (".gif", ".mp4")
#: Frames a second, and frames for which the first and the last one stand.
RATE, STANDS = 8, 8
#: Frames from which the colours of a GIF are chosen, and pixels a side taken of each.
SAMPLED, SIDE = 6, 256
#: Largest difference by which a shade is dithered.
DITHER = 10.0


def check_suffix(path: Path) -> None:
    """Refuse a name that is not of a film, before anything is drawn.

    Raises:
        BadParameter: another suffix.
        MissingExtra: MP4 without the extra ``film``.
    """
    if path.suffix.lower() not in SUFFIXES:
        kind = f"not {path.suffix!r}" if path.suffix else "and this has no suffix"
        raise BadParameter(f"{path}: a film is a .gif or .mp4 file, {kind}; rename --out")
    if path.suffix.lower() == ".mp4":
        _ffmpeg()


def write_film(frames: Sequence[Path], path: Path, tags: Mapping[str, str]) -> Path:
    """Write the pictures ``frames``, of one size, as a film; atomically.

    Raises:
        BadParameter, MissingExtra: see :func:`check_suffix`.
        OutputConflict: the file cannot be written.
    """
    check_suffix(path)
    write = _gif if path.suffix.lower() == ".gif" else _mp4
    return write_atomic(path, lambda temporary: write(frames, temporary, json.dumps(dict(tags))))


def _gif(frames: Sequence[Path], path: Path, comment: str) -> None:
    palette = _palette(frames)
    size = read_scene(frames[0]).shape
    pattern = DITHER * (_bayer(8)[np.ix_(*(np.arange(n) % 8 for n in size))] - 0.5)
    pages = [_page(read_scene(frame).rgb(), pattern, palette) for frame in frames]
    each = 1000 // RATE
    stands = STANDS * each
    pages[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=pages[1:],
        duration=[stands, *[each] * (len(pages) - 2), stands],
        loop=0,
        optimize=False,
        comment=comment.encode(),
    )


def _page(picture: np.ndarray, pattern: np.ndarray, palette: Image.Image) -> Image.Image:
    shaded = np.clip(picture + pattern[..., None], 0, 255).round().astype(np.uint8)
    return Image.fromarray(shaded).quantize(palette=palette, dither=Image.Dither.NONE)


def _palette(frames: Sequence[Path]) -> Image.Image:
    """256 colours for the whole film."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, SAMPLED).round().astype(int))
    parts = []
    for number in chosen:
        with Image.open(frames[number]) as image:
            parts.append(
                np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))
            )
    return Image.fromarray(np.concatenate(parts)).quantize(256, Image.Quantize.MEDIANCUT)


def _bayer(side: int) -> np.ndarray:
    """The ordered dither of that side (a power of 2), values in [0, 1)."""
    pattern = np.zeros((1, 1))
    while len(pattern) < side:
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return pattern / pattern.size


def _mp4(frames: Sequence[Path], path: Path, comment: str) -> None:
    height, width = read_scene(frames[0]).shape
    even = (width + width % 2, height + height % 2)  # what 4:2:0 needs
    writer = _ffmpeg().write_frames(
        str(path),
        even,
        fps=RATE,
        codec="libx264",
        pix_fmt_out="yuv420p",
        macro_block_size=2,
        quality=None,
        output_params=[
            *("-crf", "20", "-f", "mp4", "-movflags", "+faststart"),
            *("-metadata", f"comment={comment}"),
        ],
    )
    try:
        writer.send(None)
        for number, frame in enumerate(frames):
            picture = read_scene(frame).rgb()
            grown = [(0, even[1] - height), (0, even[0] - width), (0, 0)]
            padded = np.ascontiguousarray(np.pad(picture, grown, mode="edge"))
            for _ in range(STANDS if number in (0, len(frames) - 1) else 1):
                writer.send(padded)
        writer.close()
    except OSError as error:
        raise OutputConflict(
            f"ffmpeg could not write the film ({str(error).strip().splitlines()[-1]}); "
            "free some space, or write a .gif"
        ) from error


def _ffmpeg() -> Any:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise MissingExtra(
            'an MP4 film needs imageio-ffmpeg; install it with: pip install "afterscene[film]", '
            "or write a .gif"
        ) from error
    return imageio_ffmpeg

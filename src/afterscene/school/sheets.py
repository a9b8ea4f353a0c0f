"""Rows of small pictures under their titles, as one picture, and such pictures as a film.

Titles stand above their rows, not beside them: a phone shrinks a figure to its own width, and a
margin of text would make both the pictures and the words too small to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from afterscene.tensors import to_pixels

GAP, NARROWEST = 4, 320


def sheet(
    rows: Sequence[tuple[str, Tensor]], *, side: int = 64, narrowest: int = 320
) -> Image.Image:
    """Rows of pictures ``(N, 3, H, W)`` in [-1, 1], each enlarged to `side` pixels."""
    width = max(GAP + max(len(x) for _, x in rows) * (side + GAP), NARROWEST)
    letters = max(15, width // 26)  # a wide figure shrinks more, so its letters are larger
    line = letters * 4 // 3
    font = ImageFont.load_default(letters)
    titles = [_wrapped(title, font, width - 2 * GAP) for title, _ in rows]
    heights = [line * len(lines) + side + 10 for lines in titles]
    made = Image.new("RGB", (width, sum(heights)), "white")
    pen = ImageDraw.Draw(made)
    top = 0
    for lines, height, (_, x) in zip(titles, heights, rows, strict=True):
        for number, text in enumerate(lines):
            pen.text((GAP, top + line * number), text, fill="black", font=font)
        made.paste(sheet_row(x, side), (GAP, top + line * len(lines) + 2))
        top += height
    return made


def sheet_row(x: Tensor, side: int) -> Image.Image:
    """Pictures ``(N, 3, H, W)`` in [-1, 1] side by side."""
    made = Image.new("RGB", (len(x) * (side + GAP), side), "white")
    for column, pixels in enumerate(to_pixels(x)):
        one = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
        made.paste(one, (column * (side + GAP), 0))
    return made


def save_film(frames: Sequence[Image.Image], path: Path, *, pause: int, last: int) -> None:
    """An animated PNG: each frame for `pause` milliseconds, the last one longer, and again."""
    pauses = [pause] * (len(frames) - 1) + [last]
    first, *others = frames
    first.save(path, "PNG", save_all=True, append_images=others, duration=pauses, loop=0)


def _wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> list[str]:
    """The words of ``text`` in lines of at most ``width`` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines

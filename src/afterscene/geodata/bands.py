"""Which bands of a raster are red, green and blue, by what the file itself says.

Satellites record blue, green, red, near infrared in this order, and so do their files; taken by
number, grass turns blue. Asked are, in this order: the band descriptions (``red``, ``Green I``,
``BAND_R`` of Maxar, ``B04`` of Sentinel-2 and Landsat 8, ``B2`` of Pleiades and SPOT, a wavelength
such as ``665 nm``), the central wavelengths of GDAL's ``IMAGERY`` tags, what a catalogue says of
the file (STAC's ``bands`` or ``eo:bands``), and the colour interpretation. The interpretation comes
last, since GDAL writes "red, green, blue" and "alpha" by itself where nobody says otherwise.

Where a file says nothing: one band is grey, three are red, green, blue, four the same with near
infrared, eight those of WorldView-2 and 3 (coastal, blue, green, yellow, red, red edge, near
infrared 1 and 2: red, green, blue are 5, 3, 2), which is a warning. Other counts are refused.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rasterio

from afterscene.errors import BadImage, BandsAssumed

RGB = ("red", "green", "blue")
WORLDVIEW = ("coastal", "blue", "green", "yellow", "red", "red edge", "nir", "nir 2")
"""The eight bands of WorldView-2 and 3, in their order."""
_ASSUMED: dict[int, tuple[int, ...]] = {1: (1,), 3: (1, 2, 3), 4: (1, 2, 3, 4), 8: (5, 3, 2, 7)}

_WORDS = (  # the first that fits: "red edge" before "red", "coastal blue" before "blue"
    ("other", r"swir|mwir|lwir|short ?wave|mid ?infra|thermal|tir[s12]*\b|cirrus|water vapou?r"),
    ("nir", r"\bnir|infra ?red|\bir\b"),
    ("red edge", r"red ?edge|\bre\d?\b|\bvre"),
    ("coastal", r"coastal|aerosol|violet|deep ?blue|ultra ?blue"),
    ("yellow", r"yellow"),
    ("pan", r"\bpan\b|panchro"),
    ("green 1", r"green ?(i|1)\b"),
    *((colour, rf"\b{colour}\b") for colour in RGB),
)
_LETTERS = {
    **{"r": "red", "g": "green", "b": "blue", "n": "nir", "n1": "nir", "n2": "nir 2"},
    **{"c": "coastal", "y": "yellow", "re": "red edge"},
}
_SPANS = (  # nanometres: WorldView, Planet, Sentinel-2, Landsat and Pleiades lie within
    *(("coastal", 400, 452), ("blue", 452, 518), ("green 1", 518, 538), ("green", 538, 585)),
    *(("yellow", 585, 628), ("red", 628, 684), ("red edge", 684, 760), ("nir", 760, 960)),
)
_NOTHING = ("undefined", "gray", "palette", "alpha")
_CODE = re.compile(r"\bb ?(\d{1,2})(?!\d)")
_SENTINEL = {2: "blue", 3: "green", 4: "red", 8: "nir"}
_PLEIADES = {0: "blue", 1: "green", 2: "red", 3: "nir"}


@dataclass(frozen=True, kw_only=True)
class BandOrder:
    """What is read of a file.

    ``bands`` are the numbers (from 1) of grey, or of red, green, blue and, where there is one, near
    infrared; ``alpha`` says whether the file's alpha band is one.
    """

    bands: tuple[int, ...]
    alpha: bool = False


def band_order(path: Path, source: rasterio.DatasetReader, said: Sequence[str] = ()) -> BandOrder:
    """The order of an open file's bands; ``said`` is what a catalogue calls them, in their order.

    Warns (BandsAssumed) where the file does not say it. Raises BadImage where three of them cannot
    be told.
    """
    texts = [text or "" for text in source.descriptions]
    names = _named(source, texts)
    kinds = [kind.name.replace("rededge", "red edge") for kind in source.colorinterp]
    masks = {n for n, k in enumerate(kinds) if k == "alpha" and not names[n]}
    left = [n for n in range(source.count) if n not in masks]
    both = {n: names[n] or (kinds[n] if kinds[n] not in _NOTHING else "") for n in left}
    listed = _listed(said, left)
    found = _colours({n: names[n] for n in left}) or _colours(listed) or _colours(both)
    if found is None and listed and all(listed.values()):
        both, texts = listed, [*said, *texts[len(said) :]]
    if found is None and len(left) > 1 and all(both.values()):
        words = ", ".join(texts[n] or both[n] for n in left)
        raise BadImage(
            f"{path}: says that its bands are {words}, not red, green and blue; export these "
            "three, or correct the names"
        )
    if found is None:
        return _assumed(path, left, bool(masks))
    if len(found) == 3 and len(left) == 4:  # the fourth of four is near infrared
        found = (*found, *({*left} - {*found}))
    return BandOrder(bands=tuple(n + 1 for n in found), alpha=bool(masks))


def _named(source: rasterio.DatasetReader, texts: Sequence[str]) -> list[str]:
    """What the descriptions and wavelengths call each band, empty where they do not."""
    micrometres = (
        source.tags(number, ns="IMAGERY").get("CENTRAL_WAVELENGTH_UM")
        for number in range(1, source.count + 1)
    )
    measured = [_wave(f"{1000 * _number(text):g} nm") for text in micrometres]
    kinds = zip(texts, _coded(texts), measured, strict=True)
    return [_word(text) or code or _wave(text) or wave for text, code, wave in kinds]


def _listed(said: Sequence[str], left: Sequence[int]) -> dict[int, str]:
    """What a catalogue calls each band; nothing where it lists another number of them."""
    if len(said) != len(left):
        return {}
    words = (
        _word(text) or code or _wave(text) for text, code in zip(said, _coded(said), strict=True)
    )
    return dict(zip(left, words, strict=True))


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _word(text: str) -> str:
    """The colour that a description names: ``Near-Infrared`` is ``nir``."""
    plain = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    letter = re.sub(r"^(ms )?band |^band_", "", plain)
    if letter in _LETTERS:
        return _LETTERS[letter]
    return next((name for name, pattern in _WORDS if re.search(pattern, plain)), "")


def _wave(text: str) -> str:
    """The colour of a wavelength such as ``560 nm`` or ``560.0 Nanometers``."""
    found = re.search(r"(\d{3,4}(?:\.\d+)?) ?(?:nm|nanomet)", text.lower())
    length = float(found[1]) if found else 0.0
    return next((name for name, low, high in _SPANS if low <= length < high), "")


def _coded(texts: Sequence[str]) -> list[str]:
    """The colours of codes such as ``B04``; none where they merely count the bands (B1, B2 ...)."""
    plain = [re.sub(r"[^a-z0-9]+", " ", text.lower()) for text in texts]
    found = [_CODE.search(text) for text in plain]
    codes = [int(match[1]) if match else None for match in found]
    padded = any(match and len(match[1]) == 2 and match[1][0] == "0" for match in found)
    if codes == [*range(1, len(codes) + 1)] and not padded:
        return [""] * len(texts)
    table = _PLEIADES if 0 in codes else _SENTINEL
    if not {number for number, name in table.items() if name in RGB} <= {*codes}:
        return [""] * len(texts)
    # B8A, the narrow one, is no B8; other bands of the set are known not to be colours.
    narrow = [bool(re.search(r"\bb ?8 ?a\b", text)) for text in plain]
    return [
        "" if code is None else "other" if thin else table.get(code, "other")
        for code, thin in zip(codes, narrow, strict=True)
    ]


def _colours(names: dict[int, str]) -> tuple[int, ...] | None:
    """Numbers of red, green, blue (and near infrared) where each is named once."""
    found = [[number for number, name in names.items() if name == colour] for colour in RGB]
    if any(len(numbers) != 1 for numbers in found):
        return None
    infrared = [number for number, name in names.items() if name == "nir"][:1]
    return (*(numbers[0] for numbers in found), *infrared)


def _assumed(path: Path, left: Sequence[int], alpha: bool) -> BandOrder:
    """The order where the file says none. Raises BadImage for a count that none is known for."""
    if len(left) not in _ASSUMED:
        raise BadImage(
            f"{path}: has {len(left)} bands and does not say which are red, green and blue; "
            "choose these three by their numbers, for WorldView's eight with "
            "`gdal_translate -b 5 -b 3 -b 2`"
        )
    bands = tuple(left[k - 1] + 1 for k in _ASSUMED[len(left)])
    if len(bands) == 1:
        return BandOrder(bands=bands, alpha=alpha)
    as_what = "WorldView's, with " if len(left) == 8 else ""
    sentence = (
        f"{path}: does not say the order of its {len(left)} bands; they are taken as {as_what}red, "
        f"green, blue = {', '.join(map(str, bands[:3]))}. If that is wrong, put the right ones "
        "first with `gdal_translate -b`"
    )
    warnings.warn(sentence, BandsAssumed, stacklevel=2)
    return BandOrder(bands=bands, alpha=alpha)

"""Parameters of a hazard: dataclass fields that know their unit, meaning and range.

``hazards list`` and ``--set`` are derived from these fields, so a parameter is written once, where
it is used. ``None`` as default means "drawn from the seed"; the drawn value is written into the
damage map's parameters.
"""

import dataclasses
import math
import numbers
from typing import Any, NamedTuple

from afterscene.errors import BadParameter


class FieldRow(NamedTuple):
    """One parameter as it is shown to users."""

    field: str
    unit: str
    default: float | str | None
    doc: str


def parameter(
    default: Any, unit: str, doc: str, *, low: float = -math.inf, high: float = math.inf
) -> Any:
    """Return a dataclass field with ``unit``, ``doc`` and the closed range [low, high]."""
    metadata = {"unit": unit, "doc": doc, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=metadata)


def raster(unit: str, doc: str) -> dict[str, Any]:
    """Return the metadata of an optional field that holds an (H, W) array."""
    return {"unit": unit, "doc": doc, "raster": True}


def check(record: Any) -> None:
    """Raise ``BadParameter`` when a number of ``record`` is not finite or out of its range."""
    for field in dataclasses.fields(record):
        value, meta = getattr(record, field.name), field.metadata
        if value is None or meta.get("raster") or "low" not in meta:
            continue
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not number or not meta["low"] <= value <= meta["high"]:
            unit = "" if meta["unit"] == "1" else f" {meta['unit']}"
            raise BadParameter(
                f"{field.name} of hazard '{record.name}' is {value!r}; "
                f"give a number from {meta['low']:g} to {meta['high']:g}{unit}"
            )


def scalars(record: Any) -> dict[str, float | str]:
    """Return the parameters as plain values; a raster becomes 'supplied', ``None`` is left out."""
    out: dict[str, float | str] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if value is not None:
            out[field.name] = "supplied" if field.metadata.get("raster") else float(value)
    return out


def rows(kind: type) -> list[FieldRow]:
    """Return one :class:`FieldRow` for each scalar parameter of a hazard class, in field order."""
    return [
        FieldRow(f.name, f.metadata["unit"], f.default, f.metadata["doc"])  # type: ignore[arg-type]
        for f in dataclasses.fields(kind)
        if not f.metadata.get("raster")
    ]

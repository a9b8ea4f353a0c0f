"""``manifest.parquet``: the manifest as a table, one row per pair, with licence and captions.

Columns have the same types for every set: the four levels are four counts, and the hazard's fields,
which differ from hazard to hazard, are one JSON text.
"""

import json
from pathlib import Path
from typing import Any

from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.geodata.damage import DamageLevel

TEXTS = (
    *("id", "source", "hazard", "mode", "model", "model_hash"),
    *("source_sha256", "label_sha256", "pixel_sha256", "target_sha256"),
)


def export_manifest(dataset: Dataset, out: Path) -> list[Path]:
    """``manifest.parquet``."""
    import pyarrow
    from pyarrow import parquet

    text, number = pyarrow.string(), pyarrow.int64()
    kinds = {
        **dict.fromkeys((*TEXTS, "event"), text),
        "synthetic": pyarrow.bool_(),
        "licence": text,
        "severity": pyarrow.float64(),
        "seed": number,
        "parameters": text,
        "captions": pyarrow.list_(text),
        **{column(level): number for level in DamageLevel},
    }
    schema = pyarrow.schema(kinds)
    table = pyarrow.Table.from_pylist([_row(entry) for entry in dataset], schema=schema)
    path = out / "manifest.parquet"
    return [write_atomic(path, lambda temporary: parquet.write_table(table, temporary))]


def column(level: DamageLevel) -> str:
    """``minor_damage`` for ``minor-damage``."""
    return level.word.replace("-", "_")


def _row(entry: Entry) -> dict[str, Any]:
    counts = entry.label.counts
    return {
        **{name: entry.row.get(name) for name in TEXTS},
        "event": entry.event,
        "synthetic": entry.synthetic,
        "licence": entry.licence,
        "severity": float(entry.row["severity"]),
        "seed": entry.row["seed"],
        "parameters": json.dumps(entry.row.get("parameters", {}), sort_keys=True),
        "captions": list(entry.captions),
        **{column(level): counts.get(level.word, 0) for level in DamageLevel},
    }

"""Rows for a published result, from what a command wrote.

    python tools/tables/rows.py RESULTS

RESULTS is the `results.json` of `compare` or of `evaluate generator`, or what `detect score --json`
printed. Prints one row a line, to be put into a record of `src/afterscene/lab/published/`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from afterscene.metrics.xview2 import FIGURES

Json = Mapping[str, Any]


def value(mean: float, ends: Sequence[float] | None = None) -> Any:
    """A figure with its interval as records have it, four decimals."""
    if not ends:
        return round(mean, 4)
    return {"value": round(mean, 4), "low": round(ends[0], 4), "high": round(ends[1], 4)}


def spread(found: Json) -> Any:
    """An `Interval` as records have it."""
    return value(found["mean"], (found["low"], found["high"]))


def of_comparison(results: Json) -> Iterator[Json]:
    """Of each setting: its arms, and every building undamaged."""
    for setting in results["settings"]:
        for arm in setting["arms"]:
            seeds = {"per_seed": [round(score, 4) for score in arm["per_seed"]]}
            own = {"score": {**spread(arm["score"]), **seeds}}
            own |= {"gain": spread(arm["gain"])} if arm["gain"] else {}
            own |= {name: spread(arm["figures"][name]) for name in FIGURES if name != "score"}
            yield {"name": arm["name"], "values": own, "labels": {"setting": setting["name"]}}
        yield {
            "name": "every building undamaged",
            "values": {"score": value(setting["undamaged"])},
            "labels": {"setting": setting["name"]},
        }


def of_score(found: Json) -> Iterator[Json]:
    """The detector, and every building undamaged."""
    own = {name: value(found[name], found["intervals"].get(name)) for name in FIGURES}
    objects = found["objects"]
    own |= {"buildings_found": objects["found"], "buildings_invented": objects["invented"]}
    own |= {
        f"object_f1_{level.replace('-', '_')}": value(f1) for level, f1 in objects["f1"].items()
    }
    own["ece"] = value(found["calibration"]["ece"])
    yield {"name": "detector", "values": own}
    undamaged = {"score": value(found["all_undamaged_score"])}
    yield {"name": "every building undamaged", "values": undamaged}


def of_evaluation(figures: Json) -> Iterator[Json]:
    """Each candidate: by hazard the gap closed and the levels' F1; distances and seconds."""
    gaps = figures["label_fidelity_gap_closed_of"]
    for name, found in figures["candidates"].items():
        own: dict[str, Any] = {}
        for hazard, seen in found["by_hazard"].items():
            gap = gaps.get(name, {}).get(hazard, {})
            if gap.get("gap_closed") is not None:
                own[f"{hazard}_gap_closed"] = value(gap["gap_closed"], gap["interval"])
                own[f"{hazard}_gap_closed_plain"] = value(gap["gap_closed_plain"])
            for level, f1 in seen["f1"].items():
                own[f"{hazard}_f1_{level.replace('-', '_')}"] = f1
        for crops, distances in found["distances"].items():
            known = {kind: far for kind, far in (distances or {}).items() if far is not None}
            own |= {f"{kind}_{crops}": far for kind, far in known.items()}
        own["cpu_seconds_per_scene"] = found["cpu_seconds_per_scene"]
        yield {"name": name, "values": own}


def rows(results: Json) -> list[Json]:
    """The rows of whatever `results` is."""
    if "settings" in results:
        return list(of_comparison(results))
    return list(of_evaluation(results) if "candidates" in results else of_score(results))


if __name__ == "__main__":
    found = rows(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.stdout.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in found)

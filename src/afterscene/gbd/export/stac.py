"""STAC 1.1: a static, self-contained catalogue of one collection; extensions label, ml-aoi.

Each pair is an item with the label extension (levels as classes); its ``source`` and
``derived_from`` links point to the item of the pre image that it was made from. A synthetic image
has no time of its own, so its ``datetime`` is that of the pre image; if the label has none, it is
null with a very wide start and end. All items have the ml-aoi split "train": synthetic pairs are
not for evaluation. The geometry is the image's frame by the affine map of the label
(:mod:`afterscene.geodata.fit`), null if the position is not known. Assets point to the set's files
by relative paths: do not move the two folders relative to each other.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapely.geometry import mapping

from afterscene.gbd.dataset import Dataset, Entry
from afterscene.gbd.export.places import capture_time, frame
from afterscene.gbd.licences import TERMS
from afterscene.geodata.damage import DamageLevel

if TYPE_CHECKING:
    import pystac

FAR = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC))
WORLD = [-180.0, -90.0, 180.0, 90.0]
COLLECTION = "gbd"
ML_AOI = "https://stac-extensions.github.io/ml-aoi/v0.1.0/schema.json"
SPLIT = "train"


def export_stac(dataset: Dataset, out: Path) -> list[Path]:
    """``catalog.json`` and below it the collection and its items."""
    import pystac

    catalog = pystac.Catalog(
        id="afterscene-gbd",
        description="Global Building Damage: synthetic pairs made by AfterScene",
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
    )
    collection = _collection(dataset)
    catalog.add_child(collection)
    catalog.normalize_hrefs(str(out.resolve()))
    sources: dict[str, pystac.Item] = {}
    for entry in dataset:
        source = sources.get(entry.row["source"])
        if source is None and entry.pre is not None:
            source = _pre_item(entry)
            sources[entry.row["source"]] = source
            _place(collection, source, {"image": (entry.pre, "image/png", "data")})
        item = _post_item(entry)
        _place(collection, item, _assets(entry))
        _link(item, source)
    collection.update_extent_from_items()
    if not any(item.bbox for item in collection.get_items()):
        collection.extent.spatial.bboxes = [WORLD]
    catalog.save()
    return sorted(path for path in out.rglob("*.json") if path.name != "afterscene-run.json")


def _collection(dataset: Dataset) -> Any:
    import pystac

    terms = dataset.terms
    single = terms.licence if terms.licence in TERMS else "other"
    return pystac.Collection(
        id=COLLECTION,
        description=f"Synthetic post-disaster images with damage labels. Terms: {terms.sentence}",
        extent=pystac.Extent(
            pystac.SpatialExtent([WORLD]), pystac.TemporalExtent([[FAR[0], FAR[1]]])
        ),
        license=single,
        keywords=["synthetic", "building damage", *sorted({r["hazard"] for r in dataset.rows})],
        extra_fields={
            "synthetic": all(r["synthetic"] for r in dataset.rows),
            "licence": terms.licence,
        },
        summaries=pystac.Summaries({"ml-aoi:split": [SPLIT]}),
    )


def _item(entry: Entry, name: str, properties: dict[str, Any]) -> Any:
    import pystac

    outline = frame(entry)
    time = capture_time(entry)
    return pystac.Item(
        id=name,
        geometry=mapping(outline) if outline is not None else None,
        bbox=list(outline.bounds) if outline is not None else None,
        datetime=time,
        start_datetime=None if time else FAR[0],
        end_datetime=None if time else FAR[1],
        properties={"licence": entry.licence, "ml-aoi:split": SPLIT, **properties},
        stac_extensions=[ML_AOI],
    )


def _pre_item(entry: Entry) -> Any:
    metadata = entry.pre_label.metadata if entry.pre_label else {}
    drawn = metadata.get("synthetic") is True
    return _item(entry, f"{entry.row['source']}_pre", {"synthetic": drawn})


def _post_item(entry: Entry) -> Any:
    from pystac.extensions.label import LabelClasses, LabelExtension, LabelType

    row = entry.row
    item = _item(
        entry,
        entry.id,
        {
            "synthetic": entry.synthetic,
            "afterscene:hazard": row["hazard"],
            "afterscene:severity": row["severity"],
            "afterscene:model": f"{row.get('model')} {row.get('model_hash')}",
            "afterscene:captions": list(entry.captions),
        },
    )
    label = LabelExtension.ext(item, add_if_missing=True)
    label.apply(
        label_description="Damage level of each building, simulated by a hazard model",
        label_type=LabelType.VECTOR,
        label_properties=["subtype"],
        label_classes=[LabelClasses.create([level.word for level in DamageLevel], "subtype")],
        label_tasks=["detection", "segmentation"],
        label_methods=[f"synthetic, hazard {row['hazard']}"],
    )
    return item


def _assets(entry: Entry) -> dict[str, tuple[Path, str, str]]:
    assert entry.label.path is not None
    return {
        "image": (entry.post, "image/png", "data"),
        "labels": (entry.label.path, "application/json", "labels"),
        "target": (entry.target, "image/png", "labels-raster"),
    }


def _place(
    collection: "pystac.Collection", item: "pystac.Item", assets: dict[str, tuple[Path, str, str]]
) -> None:
    import pystac

    collection.add_item(item)
    folder = Path(collection.get_self_href() or "").parent / item.id
    item.set_self_href(str(folder / f"{item.id}.json"))
    for key, (path, kind, role) in assets.items():
        href = Path(os.path.relpath(path.resolve(), folder)).as_posix()
        mark = {"synthetic": item.properties["synthetic"], "licence": item.properties["licence"]}
        item.add_asset(
            key, pystac.Asset(href=href, media_type=kind, roles=[role], extra_fields=mark)
        )


def _link(item: "pystac.Item", source: "pystac.Item | None") -> None:
    import pystac
    from pystac.extensions.label import LabelExtension

    if source is None:
        return
    LabelExtension.ext(item).add_source(source, assets=["image"])
    item.add_link(pystac.Link(rel="derived_from", target=source, media_type="application/json"))

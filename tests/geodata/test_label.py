"""Labels: the round trip to the character, and a golden table of bad ones."""

import copy
import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from afterscene.errors import AftersceneError, BadLabel, BadParameter, MissingFile
from afterscene.geodata import (
    METADATA_FIELDS,
    Building,
    DamageLevel,
    XbdLabel,
    XbdTree,
    rasterize,
    read_label,
    write_label,
)
from afterscene.geodata.labeljson import MAX_BYTES

METADATA = {
    "sensor": "GEOEYE01",
    "provider_asset_type": "GEOEYE01",
    "gsd": 2.0916247,
    "capture_date": "2018-10-13T16:48:15.000Z",
    "off_nadir_angle": 27.80649,
    "pan_resolution": 0.52261543,
    "sun_azimuth": 163.13286,
    "sun_elevation": 49.5,
    "target_azimuth": 17.1,
    "disaster": "hurricane-michael",
    "disaster_type": "wind",
    "catalog_id": "1050010012705C00",
    "original_width": 1024,
    "original_height": 1024,
    "width": 1024,
    "height": 1024,
    "id": "MjU0NjUzNQ.YLnFcKf-HZMbZS9sF0Y5NQgXVjI",
    "img_name": "hurricane-michael_00000019_post_disaster.png",
}
SQUARE = (
    "POLYGON ((10.50000000000001 20, 30 20, 30 40.123456789012344, 10 40, 10.50000000000001 20))"
)
PLACE = "POLYGON ((-85.1 30.2, -85.2 30.2, -85.2 30.1, -85.1 30.2))"


def entry(wkt: object = SQUARE, uid: object = "a", **more: object) -> dict[str, Any]:
    return {"properties": {"feature_type": "building", "uid": uid, **more}, "wkt": wkt}


def document(*xy: Any, lnglat: list[Any] | None = None, **metadata: object) -> dict[str, Any]:
    places = [{**e, "wkt": PLACE} for e in xy] if lnglat is None else lnglat
    return {
        "features": {"lng_lat": places, "xy": list(xy)},
        "metadata": {**METADATA, **metadata},
    }


def post(wkt: object = SQUARE, uid: object = "a", subtype: object = "destroyed") -> dict[str, Any]:
    return entry(wkt, uid, subtype=subtype)


def saved(folder: Path, content: object, name: str = "t_00000001_post_disaster.json") -> Path:
    path = folder / name
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(raw)
    return path


# ---------------------------------------------------------------- round trip


@pytest.mark.data
def test_official_labels_come_back_to_the_character(shared_data: Path, tmp_path: Path) -> None:
    pairs = XbdTree(shared_data / "xbd").pairs()
    buildings = 0
    for path in [p for pair in pairs[::6] for p in (pair.pre_label, pair.post_label) if p]:
        label = read_label(path)
        write_label(label, tmp_path / "a.json")
        official = json.loads(path.read_text("latin-1"))
        ours = json.loads((tmp_path / "a.json").read_text("latin-1"))
        assert ours == official
        assert list(ours["metadata"]) == list(official["metadata"])
        again = read_label(tmp_path / "a.json")
        assert again.buildings == label.buildings
        assert again.notes == label.notes
        buildings += len(label.buildings)
    assert buildings > 1000


@pytest.mark.data
def test_every_official_label_is_read(shared_data: Path) -> None:
    """Counted a second time from the JSON itself, without our reader."""
    read: Counter[str] = Counter()
    official: Counter[str] = Counter()
    for pair in XbdTree(shared_data / "xbd").pairs():
        assert pair.post_label is not None
        read.update(read_label(pair.post_label).counts)
        features = json.loads(pair.post_label.read_text("latin-1"))["features"]["xy"]
        official.update(f["properties"]["subtype"] for f in features)
    assert read == official
    assert set(read) == {"no-damage", "minor-damage", "major-damage", "destroyed", "un-classified"}


@pytest.mark.parametrize("fields", [(), METADATA_FIELDS[:8], (*METADATA_FIELDS, "label_source")])
def test_metadata_with_fewer_or_more_fields_come_back(
    tmp_path: Path, fields: tuple[str, ...]
) -> None:
    content = document(post())
    size = {"width": 1024, "height": 1024}
    content["metadata"] = {name: size.get(name, f"of {name}") for name in fields}
    write_label(read_label(saved(tmp_path, content)), tmp_path / "b.json")
    written = json.loads((tmp_path / "b.json").read_text("latin-1"))
    assert list(written["metadata"].items()) == list(content["metadata"].items())


def test_numbers_that_were_read_are_written_as_they_were(tmp_path: Path) -> None:
    odd = "POLYGON ((1.10 2.0, 30.000000000000001 20, 30 4e1, 1.10 2.0))"
    content = document(post(odd), post("  POLYGON((0 0,9 0,9 9,0 0))", "b"))
    write_label(read_label(saved(tmp_path, content)), tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text()) == content


def test_a_moved_outline_gets_new_numbers_and_the_others_keep_theirs(tmp_path: Path) -> None:
    label = read_label(saved(tmp_path, document(post(), post(uid="b"))))
    moved = dataclasses.replace(label.buildings[0], polygon=Polygon([(0, 0), (0.1, 1 / 3), (7, 7)]))
    label = dataclasses.replace(label, buildings=(moved, label.buildings[1]))
    write_label(label, tmp_path / "b.json")
    texts = [e["wkt"] for e in json.loads((tmp_path / "b.json").read_text())["features"]["xy"]]
    assert texts == ["POLYGON ((0 0, 0.1 0.3333333333333333, 7 7, 0 0))", SQUARE]
    assert read_label(tmp_path / "b.json").buildings == label.buildings


coordinate = st.floats(-500, 1500, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=6, unique=True),
            st.sampled_from([None, *DamageLevel]),
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_made_labels_come_back(tmp_path_factory: pytest.TempPathFactory, drawn: list[Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "made_pre_disaster.json"
    buildings = [
        Building(
            polygon=Polygon(points),
            level=level,
            uid=f"ü/{i}",
            lnglat=Polygon(np.array(points) / 10) if placed else None,
        )
        for i, (points, level, placed) in enumerate(drawn)
        if len(set(np.rint(points)[:, 0])) > 2
    ]
    if any(b.level for b in buildings):  # else a pre label: None would be un-classified in a post
        buildings = [b for b in buildings if b.level is not None]
    write_label(XbdLabel(buildings=tuple(buildings), metadata={"gsd": 0.5}), path)
    again = read_label(path)
    assert again.buildings == tuple(buildings)
    assert again.metadata == {"gsd": 0.5}


def test_holes_and_parts_come_back(tmp_path: Path) -> None:
    ring = Polygon(box(0, 0, 9, 9).exterior, [box(3, 3, 6, 6).exterior.coords])
    two = MultiPolygon([box(20, 0, 21.5, 2), ring])
    made = tuple(
        Building(polygon=p, level=DamageLevel.MINOR, uid=str(i), lnglat=p)
        for i, p in enumerate([ring, two])
    )
    write_label(XbdLabel(buildings=made, metadata=METADATA), tmp_path / "a.json")
    label = read_label(tmp_path / "a.json")
    assert label.buildings == made
    assert label.notes == ("1 x outline of several parts",)


def test_extra_keys_stay_and_metadata_are_untouched(tmp_path: Path) -> None:
    content = {**document(post(), note="é", odd=[1, {"x": None}]), "synthetic": True}
    label = read_label(saved(tmp_path, json.dumps(content, ensure_ascii=False).encode("latin-1")))
    assert label.metadata["note"] == "é"
    assert label.extra == {"synthetic": True}
    write_label(label, tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text()) == content


def test_what_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    for value in (float("nan"), object()):
        with pytest.raises(BadParameter, match="metadata hold what JSON cannot"):
            write_label(XbdLabel(buildings=(), metadata={"x": value}), tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_a_label_is_a_value(tmp_path: Path) -> None:
    label = read_label(saved(tmp_path, document(post(), width=800, height=600)))
    assert label.shape == (600, 800)
    assert label.counts == {"destroyed": 1}
    assert label.path == tmp_path / "t_00000001_post_disaster.json"
    with pytest.raises(TypeError):
        label.metadata["gsd"] = 1  # type: ignore[index]
    with pytest.raises(BadParameter, match="uid 'a' appears twice"):
        dataclasses.replace(label, buildings=label.buildings * 2)
    text = dataclasses.replace(label, metadata={"width": "800", "height": "600"})
    assert text.shape == (600, 800)
    for size in ("wide", "nan", None, True, 0, -5, 1e300, 10**400):
        assert dataclasses.replace(label, metadata={"width": size, "height": 600}).shape is None


# ---------------------------------------------------------------- buildings that cannot be used

UNUSABLE = {
    "polygon is empty": [
        "",
        "  ",
        "POLYGON EMPTY",
        "polygon empty",
        "POLYGON (())",
        "MULTIPOLYGON()",
    ],
    "wkt is missing or no text": [None, 7, ["POLYGON"], {}],
    "wkt is not a POLYGON or MULTIPOLYGON": [
        "POINT (1 2)",
        "hello",
        "GEOMETRYCOLLECTION (" * 100_000,
        "POLYGONE ((0 0, 1 0, 1 1, 0 0))",
    ],
    "wkt cannot be read, or a ring has under 3 points or is not closed": [
        "POLYGON ((0 0))",
        "POLYGON ((0 0, 5 0, 5 5, 0 5))",
        "POLYGON ((0 0, 5 0, 5",
        "POLYGON ((a b, c d, e f, a b))",
        "POLYGON (((((((((",
        "MULTIPOLYGON " + "(" * 100_000,
    ],
    "polygon has under 3 different points": [
        "POLYGON ((0 0, 0 0, 0 0, 0 0))",
        "POLYGON ((0 0, 5 5, 0 0, 0 0))",
        "POLYGON ((0 0, 1 1, 0 0))",
    ],
    "polygon has a coordinate that is NaN or beyond 1e+09": [
        "POLYGON ((0 0, nan 0, 5 5, 0 0))",
        "POLYGON ((0 0, inf 0, 5 5, 0 0))",
        "POLYGON ((0 0, 1e300 0, 5 5, 0 0))",
    ],
    "polygon lies outside the image of (1024, 1024)": [
        "POLYGON ((1030 0, 1040 0, 1040 9, 1030 0))",
        "POLYGON ((0 -9, 9 -9, 9 -2, 0 -9))",
    ],
}


@pytest.mark.parametrize(
    ("reason", "wkt"),
    [(r, w) for r, texts in UNUSABLE.items() for w in texts],
    ids=lambda v: str(v)[:30],
)
def test_an_unusable_outline(tmp_path: Path, reason: str, wkt: object) -> None:
    path = saved(tmp_path, document(post(uid="good"), post(wkt, uid="evil")))
    with pytest.raises(BadLabel) as caught:
        read_label(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: building 'evil': {reason} (")
    assert sentence.endswith("; correct or remove this building, or skip such buildings")
    assert len(sentence) < len(str(path)) + 300
    label = read_label(path, on_problem="skip")
    assert [b.uid for b in label.buildings] == ["good"]
    assert label.notes == (f"1 x {reason}, dropped",)


@pytest.mark.parametrize("subtype", ["", "Destroyed", "major", 3, ["destroyed"], {}])
def test_an_unknown_subtype(tmp_path: Path, subtype: object) -> None:
    path = saved(tmp_path, document(post(), post(uid="b", subtype=subtype)))
    with pytest.raises(BadLabel, match="building 'b': subtype is not known"):
        read_label(path)
    label = read_label(path, on_problem="skip")
    assert (len(label.buildings), label.notes) == (1, ("1 x subtype is not known, dropped",))


@pytest.mark.parametrize(
    "feature", [None, 7, "x", [], {}, {"properties": None}, {"properties": []}]
)
def test_an_entry_without_properties(tmp_path: Path, feature: object) -> None:
    path = saved(tmp_path, document(post(), feature, lnglat=[]))
    with pytest.raises(BadLabel, match="feature 1: entry without properties"):
        read_label(path)
    assert read_label(path, on_problem="skip").notes == ("1 x entry without properties, dropped",)


def test_on_problem_is_checked(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="choose 'error' or 'skip'"):
        read_label(saved(tmp_path, document()), on_problem="ignore")  # type: ignore[arg-type]


# ---------------------------------------------------------------- buildings that are repaired


def read(folder: Path, *xy: Any, **more: Any) -> XbdLabel:
    return read_label(saved(folder, document(*xy, **more)))


def test_a_missing_subtype_after_the_disaster_is_unclassified_and_never_no_damage(
    tmp_path: Path,
) -> None:
    label = read(tmp_path, post(), entry(uid="b"))
    assert label.buildings[1].level is DamageLevel.UNCLASSIFIED
    assert label.notes == ("1 x subtype missing, taken as un-classified",)
    by_name = read(tmp_path, entry(uid="b"))
    assert by_name.buildings[0].level is DamageLevel.UNCLASSIFIED
    pre = saved(
        tmp_path,
        document(entry(), img_name="t_00000001_pre_disaster.png"),
        "t_00000001_pre_disaster.json",
    )
    assert read_label(pre).buildings[0].level is None
    assert read_label(pre).notes == ()


def test_repeated_and_missing_uids_get_new_ones(tmp_path: Path) -> None:
    label = read(
        tmp_path, post(), post(), post(uid="a~2"), post(uid=None), post(uid=""), post(uid=5)
    )
    uids = [b.uid for b in label.buildings]
    assert uids == ["a", "a~2", "a~2~2", "building-3", "building-4", "building-5"]
    assert set(label.notes) == {
        "2 x uid repeated, new one given",
        "3 x uid missing, new one given",
    }
    assert all(b.lnglat is not None for b in label.buildings)


@pytest.mark.parametrize(
    ("wkt", "note"),
    [
        (
            "POLYGON ((0 0, 9 9, 9 0, 0 9, 0 0))",
            "outline crosses itself, filled by the even-odd rule",
        ),
        ("POLYGON ((3.2 3, 3.4 3, 3.4 3.5, 3.2 3))", "area below 1 pixel"),
        (
            "POLYGON ((1000 9, 1040 9, 1040 20, 1000 9))",
            "polygon reaches over the edge of the image",
        ),
        ("POLYGON ((-9 9, 9 9, 9 20, -9 9))", "polygon reaches over the edge of the image"),
        (
            "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)), ((20 20, 29 20, 29 29, 20 20)))",
            "outline of several parts",
        ),
    ],
)
def test_odd_outlines_are_kept_and_counted(tmp_path: Path, wkt: str, note: str) -> None:
    label = read(tmp_path, post(wkt))
    assert label.notes == (f"1 x {note}",)
    assert (rasterize(label.buildings, (1024, 1024)) == 4).any()
    write_label(label, tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text())["features"]["xy"][0]["wkt"] == wkt


def test_usable_forms_make_no_note(tmp_path: Path) -> None:
    forms = [
        "polygon((0 0,9 0,9 9,0 0))",
        "POLYGON ((0 0, 0 0, 9 0, 9 9, 9 9, 0 0))",
        "POLYGON Z ((0 0 1, 9 0 1, 9 9 1, 0 0 1))",
        "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)))",
        "POLYGON ((0 0, 9 0, 9 9, 0 0), (7 1, 8 1, 8 2, 7 1))",
        "POLYGON ((0 0, 1024 0, 1024 1024, 0 1024, 0 0))",
    ]
    label = read(tmp_path, *(post(w, uid=str(i)) for i, w in enumerate(forms)))
    assert label.notes == ()
    assert all(isinstance(b.polygon, Polygon) and not b.polygon.has_z for b in label.buildings)


def test_lists_of_different_length_are_joined_by_uid(tmp_path: Path) -> None:
    a, b, c = (post(uid=u) for u in "abc")
    places = [{**e, "wkt": PLACE} for e in (c, b, post(uid="x"))]
    label = read(tmp_path, a, b, c, lnglat=places)
    assert [x.lnglat is not None for x in label.buildings] == [False, True, True]
    assert set(label.notes) == {"1 x lng_lat without xy, dropped", "1 x xy without lng_lat"}
    assert read(tmp_path, a, b, lnglat=[]).notes == ()
    broken = read(tmp_path, a, lnglat=[post("POLYGON EMPTY")])
    assert broken.buildings[0].lnglat is None
    assert broken.notes == ("1 x lng_lat is unusable, left out",)


def test_other_features_and_missing_metadata_are_counted(tmp_path: Path) -> None:
    road = {"properties": {"feature_type": "road", "uid": "r"}, "wkt": SQUARE}
    assert read(tmp_path, post(), road, lnglat=[post(PLACE)]).notes == (
        "1 x feature that is not a building, left out",
    )
    content = document(post("POLYGON ((3000 0, 3009 0, 3009 9, 3000 0))"))
    del content["metadata"]["width"]
    label = read_label(saved(tmp_path, content))
    assert label.notes == ("1 x metadata field missing",)  # without a size, nothing is outside
    content.pop("metadata")
    assert read_label(saved(tmp_path, content)).notes == ("18 x metadata field missing",)


# ---------------------------------------------------------------- files that cannot be used

GOOD = json.dumps(document(post())).encode()


@pytest.mark.parametrize("on_problem", ["error", "skip"])
@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is not valid JSON"),
        (b"hello", "is not valid JSON"),
        (GOOD[:-20], "is not valid JSON"),
        (GOOD + b"}", "is not valid JSON"),
        (GOOD.replace(b"2.0916247", b"NaN"), "the literal NaN is not JSON"),
        (GOOD.replace(b"2.0916247", b"-Infinity"), "the literal -Infinity is not JSON"),
        (GOOD.replace(b'"width"', b'"height"'), "the key 'height' appears twice"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b"9" * 5000, "is not valid JSON"),
        (b"[]", "is a JSON list, not an object"),
        (b"null", "is a JSON NoneType, not an object"),
        (b"{}", "'features' is missing, it must be a JSON object"),
        (b'{"features": []}', "'features' is a list, it must be a JSON object"),
        (b'{"features": {}}', "'xy' is missing, it must be a JSON array"),
        (b'{"features": {"xy": {}}}', "'xy' is a dict, it must be a JSON array"),
        (b'{"features": {"xy": [], "lng_lat": 3}}', "'lng_lat' is a int"),
        (b'{"features": {"xy": []}, "metadata": []}', "'metadata' is a list"),
        (GOOD.decode().encode("utf-16"), "is not valid JSON"),
        (b"\x00" * 100, "is not valid JSON"),
    ],
    ids=lambda v: str(v)[:25],
)
def test_a_bad_file(tmp_path: Path, raw: bytes, words: str, on_problem: Any) -> None:
    path = saved(tmp_path, raw)
    with pytest.raises(BadLabel, match=words) as caught:
        read_label(path, on_problem=on_problem)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_and_latin_1_are_read(tmp_path: Path) -> None:
    assert len(read_label(saved(tmp_path, b"\xef\xbb\xbf" + GOOD)).buildings) == 1
    raw = GOOD.replace(b"GEOEYE01", b"GEO\xc9YE")
    assert read_label(saved(tmp_path, raw)).metadata["sensor"] == "GEOÉYE"


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(BadLabel, match="bytes are more than the 33,554,432"):
        read_label(path)


def test_no_file_is_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path / "no.json", tmp_path):
        with pytest.raises(MissingFile, match="is not a file; check the path"):
            read_label(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_value_of_any_type_anywhere_raises_only_our_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content: Any = copy.deepcopy(document(post(), entry(uid="b")))
    spot, key = content, None
    for _ in range(data.draw(st.integers(1, 6))):
        inside = spot if key is None else spot[key]
        if not isinstance(inside, dict | list) or not inside:
            break
        spot = inside
        key = data.draw(st.sampled_from(list(spot) if isinstance(spot, dict) else range(len(spot))))
    spot[key] = data.draw(json_values)
    path = saved(tmp_path_factory.getbasetemp(), content, "fuzz.json")
    for on_problem in ("error", "skip"):
        try:
            label = read_label(path, on_problem=on_problem)  # type: ignore[arg-type]
        except AftersceneError as error:
            assert "\n" not in str(error)
        else:
            rasterize(label.buildings, (64, 64))
            if on_problem == "skip":
                write_label(label, path.with_suffix(".out"))
                assert read_label(path.with_suffix(".out")).buildings == label.buildings

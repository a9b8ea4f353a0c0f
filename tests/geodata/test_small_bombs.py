"""A small file does not take the machine: limits stand before the work, parsers are linear.

The sizes are such that what is not linear, or reads on, would not end while anybody waits.
"""

import gzip
import json
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from afterscene.errors import AftersceneError, BadLabel, BadRegions
from afterscene.geodata.labeljson import load_json
from afterscene.geodata.labelreading import read_label
from afterscene.geodata.leftout import LeftOut, Names
from afterscene.geodata.mapped import iterate_footprints, wkb
from afterscene.geodata.mapped.rows import NO_OUTLINE
from afterscene.geodata.wkt import BadOutline, parse_outline
from published import SQUARE, feature, layered

DEEP = 300_000
COLLECTION, MULTIPOLYGON, MULTISURFACE = 7, 6, 12


def nested(kind, depth=DEEP):
    """A geometry in a geometry in a geometry."""
    return struct.pack("<BII", 1, kind, 1) * depth + struct.pack("<BII", 1, kind, 0)


BOMBS = {
    "collections": nested(COLLECTION),
    "collections in a multipolygon": struct.pack("<BII", 1, MULTIPOLYGON, 1) + nested(COLLECTION),
    "multipolygons": nested(MULTIPOLYGON),
    "surfaces": nested(MULTISURFACE),
    "with a height": nested(COLLECTION + 1000),
    "of PostGIS": nested(COLLECTION | 0x80000000),
    "of another kind to GEOS": nested(65536 * 3 + 400 - 1),
    "more parts than bytes": struct.pack("<BII", 1, MULTIPOLYGON, 2**32 - 1),
    "more rings than bytes": struct.pack("<BII", 1, 3, 2**32 - 1),
    "more points than bytes": struct.pack("<BIII", 1, 3, 1, 2**32 - 1),
    "no byte order": b"\x07" + struct.pack("<II", MULTIPOLYGON, 1) + nested(COLLECTION),
}


@pytest.mark.parametrize("name", BOMBS)
def test_nested_wkb_does_not_reach_geos(name):
    (shape,) = wkb.outlines([BOMBS[name]])
    assert shape is None or shape is NO_OUTLINE


def test_nested_wkb_of_a_geopackage_is_counted(tmp_path):
    path = layered(tmp_path / "a.gpkg", {"x": [SQUARE.wkb, *BOMBS.values()]})
    left_out = LeftOut()
    assert len(list(iterate_footprints(path, left_out=left_out))) == 1
    assert left_out.total == len(BOMBS)


def test_nested_wkb_of_a_csv_is_counted(tmp_path):
    path = tmp_path / "a.csv"
    texts = [blob.hex() for blob in BOMBS.values() if len(blob) < 50_000]
    texts.append(nested(COLLECTION, 5_000).hex())
    path.write_text("geometry\n" + "".join(f'"{t}"\n' for t in [SQUARE.wkb_hex, *texts]))
    left_out = LeftOut()
    assert len(list(iterate_footprints(path, left_out=left_out))) == 1
    assert left_out.total == len(texts)


@pytest.mark.parametrize("table", ["x", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"])
def test_a_view_that_never_ends_is_not_asked(tmp_path, table):
    path = layered(tmp_path / "a.gpkg", {"x": [SQUARE]})
    base = sqlite3.connect(path)
    base.execute(f'ALTER TABLE "{table}" RENAME TO was')
    columns = ", ".join(row[1] for row in base.execute("PRAGMA table_info(was)"))
    base.execute(
        f'CREATE VIEW "{table}" AS WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) '
        f"SELECT {columns} FROM was, n"
    )
    base.commit()
    base.close()
    with pytest.raises(BadRegions, match=r"a\.gpkg: .* is a view, not a table"):
        list(iterate_footprints(path))


def test_a_computed_column_is_no_column_of_outlines(tmp_path):
    path = tmp_path / "a.gpkg"
    layered(path, {"x": [SQUARE]})
    base = sqlite3.connect(path)
    base.execute("ALTER TABLE x RENAME COLUMN geom TO was")
    base.execute("ALTER TABLE x ADD COLUMN geom BLOB AS (zeroblob(1000000000)) VIRTUAL")
    base.commit()
    base.close()
    with pytest.raises(BadRegions, match="no column 'geom'"):
        list(iterate_footprints(path))


def peak_of(path: Path) -> tuple[str, float]:
    """What reading a file in a process of its own says, and how many MB that takes."""
    code = (
        "import sys, resource, pathlib\n"
        "from afterscene.errors import AftersceneError\n"
        "from afterscene.geodata.mapped import iterate_footprints\n"
        "try: print(len(list(iterate_footprints(pathlib.Path(sys.argv[1])))))\n"
        "except AftersceneError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-300:]
    said, kilobytes = done.stdout.strip().rsplit("\n", 1)
    return said, int(kilobytes) / 1024


@pytest.mark.parametrize(("coded", "stored"), [(True, True), (True, False), (False, False)])
def test_a_parquet_that_repeats_one_outline_does_not_unpack(tmp_path, coded, stored):
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra geo")
    from pyarrow import parquet

    angles = np.linspace(0, 2 * np.pi, 12_000)
    round_one = shapely.Polygon(np.stack([np.cos(angles), np.sin(angles)], 1)).wkb
    outlines = pyarrow.array([round_one] * (1 if coded else 300), pyarrow.binary())
    if coded:  # 11.6 GB, if each row was an outline of its own
        rows = pyarrow.array(np.zeros(60_000, np.int32))
        outlines = pyarrow.DictionaryArray.from_arrays(rows, outlines)
    path = tmp_path / "a.parquet"
    kept = {"use_dictionary": coded, "store_schema": stored}
    parquet.write_table(pyarrow.table({"geometry": outlines}), path, compression="zstd", **kept)
    assert path.stat().st_size < 2**20
    said, megabytes = peak_of(path)
    assert "unpacks to more than" in said or int(said) < 100
    assert megabytes < 2000


@pytest.mark.parametrize("end", ["csv.gz", "geojsonl.gz"])
@pytest.mark.parametrize("fill", [b"\n", b" ", b"{}\n", b'"",\n', b"\0"])
def test_little_that_unpacks_to_much_is_not_read_to_its_end(tmp_path, end, fill):
    path = tmp_path / f"a.{end}"
    first = b"geometry\n" if "csv" in end else json.dumps(feature(SQUARE)).encode() + b"\n"
    path.write_bytes(gzip.compress(first + fill * (16 * 2**20 // len(fill))))
    with pytest.raises(AftersceneError, match=r"a\.(csv|geojsonl?)\.gz") as error:
        list(iterate_footprints(path))
    assert "\n" not in str(error.value)


def test_empty_lines_without_end_are_refused_in_a_plain_file_too(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("geometry\n" + "\n" * 2_000_000)
    with pytest.raises(BadRegions, match="lines are empty"):
        list(iterate_footprints(path))


BLANK = " " * 200_000


@pytest.mark.parametrize(
    "text",
    [
        *(f"POLYGON{BLANK}", f"POLYGON{BLANK}x", f"POLYGON{BLANK}Z{BLANK}", f"{BLANK}POLYGON"),
        *(f"POLYGON{BLANK}({BLANK}x", f"MULTIPOLYGON{BLANK}EMPTY{BLANK}x", BLANK, f"{BLANK}x"),
        *("POLYGON(" + "( " * 200_000, "POLYGON(" + ") " * 200_000, "POLYGON" + "\t\n" * 100_000),
    ],
    ids=lambda text: text.replace(" ", "")[:12],
)
def test_blanks_in_wkt_are_looked_at_once(text):
    with pytest.raises(BadOutline):
        parse_outline(text)


def label(path, xy, lnglat=()):
    features = {"xy": list(xy), "lng_lat": list(lnglat)}
    path.write_text(json.dumps({"features": features, "metadata": {}}))
    return path


def entries(uids, wkt):
    return [{"properties": {"uid": uid}, "wkt": wkt} for uid in uids]


def test_a_uid_that_stands_a_thousand_times_takes_a_thousand_steps():
    names = Names()
    given = [names.take("a") for _ in range(300_000)]
    assert given[:3] == ["a", "a~2", "a~3"] and len({*given}) == 300_000


def test_many_uids_that_stand_in_one_list_alone(tmp_path):
    wkt = "POLYGON ((0 0, 9 0, 9 9, 0 0))"
    here, there = (entries((f"{w}{k}" for k in range(40_000)), wkt) for w in "ab")
    found = read_label(label(tmp_path / "a.json", here[:10], there))
    assert found.left_out.as_json() == {"building of a label: lng_lat without xy": 40_000}


def test_a_repeated_key_is_found_at_once(tmp_path):
    path = tmp_path / "a.json"
    keys = ",".join(f'"k{k}":0' for k in range(300_000))
    path.write_text(f'{{{keys},"k299999":1}}')
    with pytest.raises(BadLabel, match="the key 'k299999' appears twice"):
        load_json(path)


def test_some_rows_of_nothing_are_counted_and_a_file_of_nothing_else_is_refused(tmp_path):
    path = tmp_path / "a.geojsonl"
    odd = json.dumps(feature(shapely.Point(1, 2)))
    path.write_text((odd + "\n") * 20_000)
    left_out = LeftOut()
    assert list(iterate_footprints(path, left_out=left_out)) == []
    assert left_out.total == 20_000
    path.write_text('{"type":"Feature"}\n' * 200_000)
    with pytest.raises(BadRegions, match="rows are not outlines"):
        list(iterate_footprints(path))

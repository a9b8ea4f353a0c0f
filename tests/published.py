"""Small files in the shape of what others publish, made here."""

import csv
import gzip
import json
import sqlite3
import struct
from pathlib import Path

import pytest
import shapely

SQUARE = shapely.box(10.0, 50.0, 10.0002, 50.0001)
FAR = shapely.box(30.0, 10.0, 30.0002, 10.0001)


def feature(shape, **properties):
    geometry = json.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def microsoft(path: Path, shapes=(SQUARE, FAR)) -> Path:
    lines = [json.dumps(feature(s, height=-1.0, confidence=-1.0)) for s in shapes]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def google(path: Path, shapes=(SQUARE, FAR)) -> Path:
    plain = path.parent / "plain.csv"
    with plain.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["latitude", "longitude", "area_in_meters", "confidence", "geometry"])
        for s in shapes:
            rows.writerow([s.centroid.y, s.centroid.x, 80.0, 0.87, shapely.to_wkt(s)])
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


def geopackage(path: Path, shapes=(SQUARE, FAR), srs=4326) -> Path:
    base = sqlite3.connect(path)
    base.execute(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id)"
    )
    base.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (?, 'EPSG', ?)", (srs, srs))
    base.execute("CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id)")
    base.execute("INSERT INTO gpkg_geometry_columns VALUES ('odd \" name', 'geom', ?)", (srs,))
    base.execute('CREATE TABLE "odd "" name" (id INTEGER, geom BLOB)')
    for number, s in enumerate(shapes):
        blob = b"GP\0\x01" + struct.pack("<i", srs) + shapely.to_wkb(s)
        base.execute('INSERT INTO "odd "" name" VALUES (?, ?)', (number, blob))
    base.commit()
    base.close()
    return path


def layered(path: Path, layers, kinds=()) -> Path:
    """A GeoPackage in WGS84 of several layers: outlines or WKB by the layer's name."""
    base = sqlite3.connect(path)
    base.execute(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id)"
    )
    base.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'EPSG', 4326)")
    base.execute(
        "CREATE TABLE gpkg_geometry_columns (table_name, column_name, geometry_type_name, srs_id)"
    )
    for name, shapes in layers.items():
        blobs = [s if isinstance(s, bytes) else shapely.to_wkb(s) for s in shapes]
        plain = shapes[0].geom_type.upper() if hasattr(shapes[0], "geom_type") else "POLYGON"
        kind = dict(kinds).get(name, plain)
        quoted = name.replace('"', '""')
        base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, 4326)", (name, kind))
        base.execute(f'CREATE TABLE "{quoted}" (fid INTEGER PRIMARY KEY, geom BLOB)')
        rows = [(b"GP\0\x01" + struct.pack("<i", 4326) + blob,) for blob in blobs]
        base.executemany(f'INSERT INTO "{quoted}" (geom) VALUES (?)', rows)
    base.commit()
    base.close()
    return path


def geojson(path: Path, shapes=(SQUARE, FAR)) -> Path:
    features = [feature(s, name=f"n{k}", population=100) for k, s in enumerate(shapes)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def lines(path: Path, shapes=(SQUARE, FAR)) -> Path:
    path.write_text("".join(json.dumps(feature(s)) + "\n" for s in shapes))
    return path


def overture(path: Path, shapes=(SQUARE, FAR)) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra geo")
    from pyarrow import parquet

    table = {"id": [str(k) for k in range(len(shapes))], "geometry": [s.wkb for s in shapes]}
    parquet.write_table(pyarrow.table(table), path)
    return path


MAKERS = {
    "microsoft.csv.gz": microsoft,
    "google.csv.gz": google,
    "any.gpkg": geopackage,
    "any.geojson": geojson,
    "any.geojsonl": lines,
    "overture.parquet": overture,
}

"""WebDataset: tar shards, with the files of one sample next to each other under one key.

A sample is ``{key}.post.png``, ``.target.png``, ``.label.json`` (xBD), ``.json`` (manifest row,
licence, captions), ``.txt`` (one caption) and, if the set has it, ``.pre.png``. Readers cut a key
at its first dot, so dots of an id are written as ``%2E``. Members have no time, user or group: the
same set gives the same bytes.
"""

import io
import json
import tarfile
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset, Entry

PER_SHARD = 500  # pairs; about 1.5 GB of 1024-pixel pairs, in the range that WebDataset recommends


def export_webdataset(dataset: Dataset, out: Path, *, per_shard: int = PER_SHARD) -> list[Path]:
    """``gbd-000000.tar`` ..., with ``per_shard`` pairs in each but the last."""
    pairs, count = iter(dataset), -(-len(dataset) // per_shard)
    made = []
    for number in range(count):
        shard = islice(pairs, per_shard)
        path = out / f"gbd-{number:06d}.tar"
        made.append(write_atomic(path, partial(_write_shard, entries=shard)))
    return made


def _write_shard(path: Path, entries: Iterator[Entry]) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            for name, content in members(entry):
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))


def members(entry: Entry) -> Iterator[tuple[str, bytes]]:
    """(member name, bytes) of one pair."""
    key = entry.id.replace("%", "%25").replace(".", "%2E")
    assert entry.label.path is not None
    row = json.dumps(entry.as_json(), ensure_ascii=False, sort_keys=True, allow_nan=False)
    yield f"{key}.json", row.encode()
    yield f"{key}.label.json", entry.label.path.read_bytes()
    yield f"{key}.post.png", entry.post.read_bytes()
    if entry.pre is not None:
        yield f"{key}.pre.png", entry.pre.read_bytes()
    yield f"{key}.target.png", entry.target.read_bytes()
    yield f"{key}.txt", entry.captions[0].encode()

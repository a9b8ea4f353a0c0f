"""A set is read as it is, and what cannot be trusted is refused."""

import json
from pathlib import Path

import pytest

import toys
from afterscene import gbd
from afterscene.errors import BadLabel, MissingFile, OutputConflict
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.stats import stats


def change_row(folder: Path, **changes) -> None:
    path = folder / "manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0] |= changes
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_entries_come_in_manifest_order_with_files_licence_and_captions(finished):
    dataset = Dataset(finished)
    entries = list(dataset)
    assert [e.id for e in entries] == [row["id"] for row in dataset.rows]
    assert len(entries) == len(dataset) == 3
    for entry in entries:
        assert entry.synthetic and entry.event == "toy-town" and entry.shape == (64, 64)
        assert entry.pre is not None and entry.pre.is_file() and entry.post.is_file()
        assert entry.licence == "CC-BY-NC-SA-4.0 AND LicenseRef-unknown"
        assert entry.captions == tuple(entry.as_json()["captions"])


def test_the_flat_layout_of_synthesize_has_no_pre_image(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd", count=1)
    toys.synthesize(gbd.find_sources(tree), "wind", tmp_path / "out")
    (entry,) = Dataset(tmp_path / "out")
    assert entry.pre is None and entry.post.is_file()


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/passwd", "a/b", "a\\b", "", ".", "..", ".done", "a\0b", "x" * 300]
)
def test_an_id_that_is_no_plain_name_is_refused(own, name):
    change_row(own, id=name)
    with pytest.raises(OutputConflict, match="not a file name"):
        Dataset(own)


@pytest.mark.parametrize(
    "change",
    [
        {"synthetic": "yes"},
        {"synthetic": None},
        {"hazard": 3},
        {"seed": "7"},
        {"seed": -1},
        {"severity": None},
        {"source": []},
    ],
)
def test_a_row_with_a_wrong_field_is_refused_by_its_name(own, change):
    change_row(own, **change)
    with pytest.raises(OutputConflict, match=next(iter(change))):
        Dataset(own)


def test_an_id_that_stands_twice_is_refused(own):
    change_row(own, id=Dataset(own).rows[1]["id"])
    with pytest.raises(OutputConflict, match="listed twice"):
        Dataset(own)


def test_a_row_that_denies_the_mark_of_its_label_is_refused(own):
    change_row(own, synthetic=False)
    with pytest.raises(BadLabel, match="synthetic mark"):
        list(Dataset(own))


def test_a_link_out_of_the_set_is_refused(own, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    image = next((own / "images").glob("*_post_*"))
    image.unlink()
    image.symlink_to(secret)
    with pytest.raises(MissingFile, match="link to outside"):
        list(Dataset(own))


def test_a_missing_file_names_it(own):
    target = next((own / "targets").glob("*_post_*"))
    target.unlink()
    with pytest.raises(MissingFile, match=target.name):
        list(Dataset(own))


def test_no_manifest_and_an_empty_one_are_errors(tmp_path):
    with pytest.raises(MissingFile, match="no manifest"):
        Dataset(tmp_path)
    (tmp_path / "manifest.jsonl").write_text("")
    with pytest.raises(MissingFile, match="no pair"):
        Dataset(tmp_path)


def test_stats_count_what_the_labels_hold(finished):
    found = stats(Dataset(finished)).as_json()
    (group,) = found["groups"]
    assert (group["hazard"], group["event"], group["pairs"]) == ("wildfire", "toy-town", 3)
    rows = Dataset(finished).rows
    for word, n in group["levels"].items():
        assert n == sum(row["levels"].get(word, 0) for row in rows)
    assert group["buildings"] == 3 * len(toys.BOXES)
    assert found["synthetic"] == found["pairs"] == 3
    severities = [row["severity"] for row in rows]
    assert group["severity"]["lowest"] == min(severities)
    assert found["total"]["levels"] == group["levels"]

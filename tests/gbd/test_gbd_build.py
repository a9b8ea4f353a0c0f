"""A build makes the whole tree, goes on after a stop, and never mixes two runs."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import toys
from afterscene import gbd
from afterscene.errors import BadImage, BadLabel, BadParameter, NotFinite, OutputConflict
from afterscene.gbd.rundir import locked, read_rows
from afterscene.geodata.damage import rasterize
from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.xbd import XbdTree, read_label


@pytest.fixture
def tree(tmp_path):
    return toys.toy_tree(tmp_path / "xbd")


CONFIG = gbd.PlanConfig(hazards=("wildfire",), count=4, seed=7, severity=(0.8, 1.0))


@pytest.fixture
def sources(tree):
    return gbd.find_sources(tree, "train")


@pytest.fixture
def plan(sources):
    return gbd.draw_plan(sources, CONFIG)


def build(plan, out, generator=None, **options):
    return gbd.build(
        plan,
        out,
        generator or toys.ToyGenerator(),
        rendering=gbd.Rendering(),
        options=gbd.RunOptions(**options),
    )


class Stops:
    """A generator that is cut off at the n-th picture."""

    hash = toys.ToyGenerator.hash
    drawn_as = toys.ToyGenerator.drawn_as

    def __init__(self, after, error=KeyboardInterrupt):
        self.left, self.error = after, error

    def render(self, pre, damage, **kwargs):
        if self.left == 0:
            raise self.error("stopped")
        self.left -= 1
        return toys.ToyGenerator().render(pre, damage, **kwargs)


def test_the_tree_opens_as_xbd_and_labels_agree_with_targets(plan, tmp_path):
    report = build(plan, tmp_path / "out")
    assert (report.made, report.already, report.skipped) == (4, 0, ())
    pairs = XbdTree(tmp_path / "out").pairs()
    assert [p.id for p in pairs] == [f"toy-town-wildfire_{k:08d}" for k in range(4)]
    for pair in pairs:
        assert pair.post and pair.post_label and pair.target and pair.pre_label
        burnt = rasterize(read_label(pair.post_label).buildings, (toys.SIDE, toys.SIDE))
        assert np.array_equal(read_scene(pair.target).pixels[0], burnt)
        assert all(b.level is None for b in read_label(pair.pre_label).buildings)


def test_the_pre_image_is_copied_byte_for_byte(plan, tmp_path):
    build(plan, tmp_path / "out")
    for item in plan.items:
        copy = tmp_path / "out" / "images" / f"{item.name}_pre_disaster.png"
        assert copy.read_bytes() == item.source.pre.read_bytes()


def test_a_jpeg_source_becomes_a_png_of_the_same_pixels(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd", count=1)
    png = tree / "images" / "toy-town_00000000_pre_disaster.png"
    Image.open(png).save(png.with_suffix(".jpg"), quality=92)
    png.unlink()
    plan = gbd.draw_plan(gbd.find_sources(tree), gbd.PlanConfig(hazards=("wind",), count=1, seed=0))
    build(plan, tmp_path / "out")
    copy = tmp_path / "out" / "images" / "toy-town-wind_00000000_pre_disaster.png"
    assert Image.open(copy).format == "PNG"
    assert np.array_equal(read_scene(copy).pixels, read_scene(png.with_suffix(".jpg")).pixels)


def test_every_generated_file_says_that_it_is_synthetic(plan, tmp_path):
    out = tmp_path / "out"
    build(plan, out)
    for row in read_rows(out / "manifest.jsonl"):
        stem = f"{row['id']}_post_disaster"
        assert row["synthetic"] is True
        for path in (out / "images" / f"{stem}.png", out / "targets" / f"{stem}_target.png"):
            assert read_tags(path)["AFTERSCENE_SYNTHETIC"] == "true"
        metadata = read_label(out / "labels" / f"{stem}.json").metadata
        assert metadata["synthetic"] is True
        assert metadata["afterscene"]["seed"] == row["seed"]
        pre = read_label(out / "labels" / f"{row['id']}_pre_disaster.json").metadata
        assert pre["synthetic"] is False


def test_the_manifest_tells_how_each_pair_was_made(plan, tmp_path):
    report = build(plan, tmp_path / "out")
    rows = list(read_rows(tmp_path / "out" / "manifest.jsonl"))
    assert tuple(rows) == report.rows
    for row, item in zip(rows, plan.items, strict=True):
        assert row["source"] == item.source.id
        assert (row["hazard"], row["severity"], row["seed"]) == (
            "wildfire",
            item.severity,
            item.seed,
        )
        assert row["model_hash"] == toys.ToyGenerator.hash
        assert row["drawn_as"] == toys.ToyGenerator().drawn_as("wildfire")
        assert sum(row["levels"].values()) == len(toys.BOXES)
        assert str(tmp_path) not in json.dumps(row), "no path of this machine"


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_stopped_build_goes_on_and_ends_as_the_same_tree(plan, tmp_path, after):
    build(plan, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        build(plan, tmp_path / "parts", Stops(after))
    (tmp_path / "parts" / "images").mkdir(exist_ok=True)
    (tmp_path / "parts" / "images" / ".x.png.0.tmp").write_bytes(b"half")
    report = build(plan, tmp_path / "parts")
    assert (report.made, report.already) == (4 - after, after)
    assert toys.files_of(tmp_path / "parts") == toys.files_of(tmp_path / "whole")


def test_a_finished_build_is_not_made_again(plan, tmp_path):
    build(plan, tmp_path / "out")
    before = toys.files_of(tmp_path / "out")
    report = build(plan, tmp_path / "out", Stops(0))
    assert (report.made, report.already) == (0, 4)
    assert toys.files_of(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("change", "key"),
    [({"seed": 8}, "seed"), ({"hazards": ("flood",)}, "hazard"), ({"count": 5}, "count")],
)
def test_another_run_in_the_folder_is_refused_by_key_and_left_alone(sources, tmp_path, change, key):
    build(gbd.draw_plan(sources, CONFIG), tmp_path / "out")
    before = toys.files_of(tmp_path / "out")
    with pytest.raises(OutputConflict, match=key):
        build(gbd.draw_plan(sources, replace(CONFIG, **change)), tmp_path / "out")
    assert toys.files_of(tmp_path / "out") == before


def test_changed_pixels_of_a_source_are_another_run(plan, tmp_path):
    build(plan, tmp_path / "out")
    toys.write_pre(tmp_path / "xbd", "toy-town_00000000", seed=99)
    with pytest.raises(OutputConflict, match="sources"):
        build(plan, tmp_path / "out")


def test_overwrite_replaces_the_other_run(plan, sources, tmp_path):
    build(plan, tmp_path / "out")
    other = gbd.draw_plan(sources, replace(CONFIG, seed=8, count=2))
    build(other, tmp_path / "out", overwrite=True)
    build(other, tmp_path / "fresh")
    assert toys.files_of(tmp_path / "out") == toys.files_of(tmp_path / "fresh")


def test_a_folder_that_is_not_ours_is_refused_even_with_overwrite(plan, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputConflict):
        build(plan, tmp_path / "mine", overwrite=True)
    assert toys.files_of(tmp_path / "mine") == {"thesis.txt": b"years of work"}


def test_a_second_process_is_kept_out(plan, tmp_path):
    build(plan, tmp_path / "out")
    with locked(tmp_path / "out"), pytest.raises(OutputConflict, match="another process"):
        build(plan, tmp_path / "out")


def test_a_bad_source_stops_the_build_before_anything_is_written(plan, tmp_path):
    (tmp_path / "xbd" / "labels" / "toy-town_00000001_pre_disaster.json").write_text("{")
    with pytest.raises(BadLabel):
        build(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_picture_that_was_cut_off_stops_the_build_before_anything_is_written(plan, tmp_path):
    image = tmp_path / "xbd" / "images" / "toy-town_00000001_pre_disaster.png"
    image.write_bytes(image.read_bytes()[:-40])
    with pytest.raises(BadImage, match=image.name):
        build(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_skip_goes_on_and_lists_what_is_not_there(plan, tmp_path):
    (tmp_path / "xbd" / "labels" / "toy-town_00000001_pre_disaster.json").write_text("{")
    report = build(plan, tmp_path / "out", on_error="skip")
    lost = [i.name for i in plan.items if i.source.id == "toy-town_00000001"]
    assert [name for name, _ in report.skipped] == lost
    assert report.made == 4 - len(lost) > 0
    assert [r["id"] for r in read_rows(tmp_path / "out" / "skipped.jsonl")] == lost


def test_a_skipped_item_is_tried_again_next_time(plan, tmp_path):
    first = build(plan, tmp_path / "out", Stops(2, NotFinite), on_error="skip")
    assert first.made == 2
    assert len(first.skipped) == 2
    second = build(plan, tmp_path / "out")
    assert (second.made, second.already, second.skipped) == (2, 2, ())
    build(plan, tmp_path / "whole")
    assert toys.files_of(tmp_path / "out") == toys.files_of(tmp_path / "whole")


@pytest.fixture
def readings(monkeypatch):
    """How often each image was decoded and each label parsed."""
    from afterscene.geodata import labelreading, scene

    found = Counter()

    def count(module, name):
        read = getattr(module, name)

        def counted(path, *rest):
            found[path.name] += 1
            return read(path, *rest)

        monkeypatch.setattr(module, name, counted)

    count(scene, "decode")
    count(labelreading, "load_json")
    return found


def test_a_build_decodes_each_image_once_an_item(plan, readings, tmp_path):
    build(plan, tmp_path / "out")
    asked = Counter(item.source.pre.name for item in plan.items)
    assert {name: readings[name] for name in asked} == asked


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_synthesize_decodes_each_image_and_parses_each_label_once(readings, tmp_path, suffix):
    tree = toys.toy_tree(tmp_path / "xbd")
    images = sorted((tree / "images").glob("*.png"))
    for image in images:
        Image.open(image).save(image.with_suffix(suffix))
    pres = [image.with_suffix(suffix) for image in images]
    toys.synthesize(gbd.match_labels(pres, [tree / "labels"]), "wind", tmp_path / "out")
    assert readings == Counter(name for pre in pres for name in (pre.name, f"{pre.stem}.json"))


def test_where_nothing_can_be_made_skip_is_an_error_too(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd", count=1)
    (tree / "labels" / "toy-town_00000000_pre_disaster.json").write_text("{")
    plan = gbd.draw_plan(gbd.find_sources(tree), gbd.PlanConfig(hazards=("wind",), count=2, seed=0))
    with pytest.raises(BadParameter, match="nothing can be made"):
        build(plan, tmp_path / "out", on_error="skip")
    assert not (tmp_path / "out").exists()


def test_a_fault_of_the_first_picture_leaves_no_folder_behind(plan, tmp_path):
    with pytest.raises(NotFinite):
        build(plan, tmp_path / "out", Stops(0, NotFinite))
    assert not (tmp_path / "out").exists()


def test_sources_without_a_building_are_left_out(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd", count=2)
    toys.write_pre(tree, "toy-town_00000009", wkts=[])
    assert [s.id for s in gbd.find_sources(tree)] == ["toy-town_00000000", "toy-town_00000001"]


def test_synthesize_draws_the_very_picture_of_a_manifest_row(plan, sources, tmp_path):
    row = build(plan, tmp_path / "out").rows[2]
    source = next(s for s in sources if s.id == row["source"])
    how = {key: row[key] for key in ("severity", "seed")}
    (found,) = gbd.match_labels([source.pre], [source.label])
    one = gbd.plan_each([found], row["hazard"], parameters={}, **how)
    rendering = gbd.Rendering()
    again = gbd.build(one, tmp_path / "one", toys.ToyGenerator(), rendering=rendering, flat=True)
    assert again.rows[0]["pixel_sha256"] == row["pixel_sha256"]
    assert again.rows[0]["target_sha256"] == row["target_sha256"]


@pytest.mark.data
def test_real_pairs_go_through(shared_data, tmp_path):
    sources = gbd.find_sources(shared_data / "xbd", "val")
    plan = gbd.draw_plan(
        sources, gbd.PlanConfig(hazards=("wildfire",), count=2, seed=1, severity=(0.9, 0.9))
    )
    report = build(plan, tmp_path / "out")
    assert report.made == 2
    for item, row in zip(plan.items, report.rows, strict=True):
        copy = tmp_path / "out" / "images" / f"{item.name}_pre_disaster.png"
        assert np.array_equal(read_scene(copy).pixels, read_scene(item.source.pre).pixels)
        real = read_label(item.source.label)
        made = read_label(tmp_path / "out" / "labels" / f"{item.name}_post_disaster.json")
        assert [b.uid for b in made.buildings] == [b.uid for b in real.buildings]
        assert {**made.metadata, **real.metadata}.keys() == made.metadata.keys()
        assert row["levels"].get("destroyed", 0) > 0
    assert {v.verdict for v in gbd.verify(tmp_path / "out")} == {"synthetic"}

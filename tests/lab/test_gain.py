"""An experiment runs, stops, goes on, refuses a mixture, and reports what it measured."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from afterscene.errors import BadParameter, LeakFound, OutputConflict
from afterscene.geodata.pair import LabelledPair
from afterscene.lab import runs as runs_module
from afterscene.lab.gain import GainPlan, GainResult, gain
from afterscene.lab.gain_report import gain_report, picture_rows
from afterscene.lab.runs import Arm
from afterscene.pages.render import render
from tests.detectors.toys import TINY, toy_pair

TRAIN = tuple(toy_pair(i) for i in range(2))
MADE = tuple(toy_pair(i, synthetic=True) for i in range(20, 22))
TEST = tuple(toy_pair(i) for i in range(100, 103))
ARMS = (Arm(name="real", pairs=TRAIN), Arm(name="real+synthetic", pairs=TRAIN + MADE))
PLAN = GainPlan(
    config=replace(TINY, steps=12, crop=64),
    seeds=(0, 1),
    replicates=50,
    show=(TEST[0].id,),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[GainResult, Path]:
    out = tmp_path_factory.mktemp("gain")
    return gain(PLAN, ARMS, TEST, out=out), out


def test_every_arm_and_seed_has_its_record(finished: tuple[GainResult, Path]) -> None:
    result, out = finished
    assert [arm.name for arm in result.arms] == ["real", "real+synthetic"]
    assert all(len(arm.per_seed) == 2 for arm in result.arms)
    assert len(list(out.glob("runs/*/done.json"))) == 4
    said = json.loads((out / "results.json").read_text())
    assert said["arms"][1]["gain"]["mean"] == pytest.approx(
        said["arms"][1]["score"]["mean"] - said["arms"][0]["score"]["mean"]
    )
    assert said["arms"][1]["pairs_synthetic"] == 2 and said["tiles"] == 3


def test_a_stopped_experiment_goes_on_without_training_again(
    finished: tuple[GainResult, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = finished
    trained: list[int] = []
    real_fit = runs_module.fit

    def counted(config: object, pairs: Sequence[LabelledPair], **more: object) -> object:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(len(pairs))
        return real_fit(config, pairs, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(runs_module, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        gain(PLAN, ARMS, TEST, out=tmp_path)
    trained.clear()
    again = gain(PLAN, ARMS, TEST, out=tmp_path)
    assert len(trained) == 2
    assert again.as_json() == whole.as_json()


def test_another_run_in_the_folder_is_refused(finished: tuple[GainResult, Path]) -> None:
    _, out = finished
    with pytest.raises(OutputConflict):
        gain(replace(PLAN, config=replace(PLAN.config, lr=1e-3)), ARMS, TEST, out=out)
    other = (ARMS[0], replace(ARMS[1], pairs=(*TRAIN, MADE[0])))
    with pytest.raises(OutputConflict, match="pairs"):
        gain(PLAN, other, TEST, out=out)


def test_a_planted_leak_stops_before_anything_is_trained(tmp_path: Path) -> None:
    leaked = replace(TEST[1], id="gbd_00000007", synthetic=True)
    arms = (ARMS[0], Arm(name="leaky", pairs=(*TRAIN, leaked)))
    with pytest.raises(LeakFound, match=TEST[1].id):
        gain(PLAN, arms, TEST, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_arms_need_names_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(BadParameter):
        gain(PLAN, (ARMS[0], ARMS[0]), TEST, out=tmp_path)
    with pytest.raises(BadParameter):
        Arm(name="../x", pairs=TRAIN)
    with pytest.raises(BadParameter):
        replace(PLAN, seeds=(1, 1))


def test_the_page_holds_the_measured_figures_and_nothing_from_outside(
    finished: tuple[GainResult, Path],
) -> None:
    result, _ = finished
    rows = picture_rows(result, TEST, size=64)
    assert len(rows) == 1
    assert [p.caption for p in rows[0].pictures][-1] == "real post"
    made = gain_report(
        result, title="<b>Gain</b> & more", pictures=rows, made=("Squares on noise.",)
    )
    page = render("report.html", report=made)
    for arm in result.arms:
        assert f"{arm.score.mean:.3f}" in page
        assert f"{arm.figures['localization_f1']:.3f}" in page
    assert f"{result.arms[1].gain.mean:+.3f}" in page
    assert f"{result.all_undamaged['score']:.3f}" in page
    assert "&lt;b&gt;Gain" in page and "<b>Gain" not in page
    assert "Squares on noise." in page
    assert page.count("data:image/jpeg;base64,") == len(rows[0].pictures)
    for outside in ("http://", "https://", "<script", "<link", "@import", "url("):
        assert outside not in page

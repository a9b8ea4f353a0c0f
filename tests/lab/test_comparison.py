"""A comparison with given pairs runs, stops, goes on, refuses a mixture, says what it measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tools.tables.rows import rows

from afterscene.errors import BadParameter, LeakFound, OutputConflict, UnknownName
from afterscene.gbd import PlanConfig, Rendering, build, draw_plan, find_sources
from afterscene.lab import runs as runs_module
from afterscene.lab.comparison import RESULTS, Outcome, Sources, Work, compare_arms
from afterscene.lab.protocol_report import compare_and_report, markdown, report
from afterscene.lab.protocols import PROTOCOLS, Protocol
from afterscene.lab.published import PublishedRow
from afterscene.lab.results import Results
from afterscene.pages.render import render
from afterscene.pages.report import Section
from tests.detectors.toys import TINY
from tests.lab.places import PerfectGenerator, paired_tree

PLAN = replace(
    PROTOCOLS["given"],
    detector=replace(TINY, steps=6, crop=64),
    arms=("oversampled", "gbd"),
    seeds=(0, 1),
    replicates=50,
)


def made(xbd: Path, out: Path, split: str, seed: int = 0) -> Path:
    """A folder of two synthetic pairs from the pre images of a split."""
    config = PlanConfig(hazards=("wind",), count=2, seed=seed)
    build(
        draw_plan(find_sources(xbd, split), config), out, PerfectGenerator(), rendering=Rendering()
    )
    return out


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    xbd = paired_tree(tmp_path_factory.mktemp("xbd"))
    return Sources(xbd=xbd, gbd=(made(xbd, tmp_path_factory.mktemp("made") / "gbd", "train"),))


@pytest.fixture(scope="module")
def finished(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    out = tmp_path_factory.mktemp("compare")
    return compare_and_report(PLAN, sources, out, Work()), out


def test_every_arm_and_seed_has_its_record(finished: tuple[Outcome, Path]) -> None:
    outcome, out = finished
    (setting,) = outcome.results.settings
    assert [arm.name for arm in setting.arms] == ["oversampled", "gbd"]
    assert all(len(arm.per_seed) == len(arm.counts) == 2 for arm in setting.arms)
    assert len(list(out.glob("runs/*/*/done.json"))) == 4
    said = json.loads((out / RESULTS).read_text())
    assert said["schema"] == 1 and said["protocol"]["detector"]["steps"] == 6
    (one,) = said["settings"]
    first, second = one["arms"]
    assert (first["gain"], one["best"], one["tiles"]) == (None, "oversampled", 4)
    assert second["gain"]["mean"] == pytest.approx(second["score"]["mean"] - first["score"]["mean"])
    assert (first["synthetic"], second["synthetic"]) == (0, 2)


def test_the_splits_are_judged_as_the_official_score_judges_them(
    finished: tuple[Outcome, Path],
) -> None:
    """No level is left out, so the judged score is the official one."""
    (setting,) = finished[0].results.settings
    assert len(setting.judged) == 4
    for arm in setting.arms:
        assert arm.score == arm.figures["score"]


def test_results_are_read_as_they_were_written(finished: tuple[Outcome, Path]) -> None:
    outcome, out = finished
    assert Results.read(out / RESULTS).as_json() == outcome.results.as_json()
    assert Results.read(out / RESULTS).protocol == PLAN


def test_a_stopped_comparison_goes_on_without_training_again(
    finished: tuple[Outcome, Path],
    sources: Sources,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained: list[int] = []
    real_fit = runs_module.fit

    def counted(config, pairs, **more):  # type: ignore[no-untyped-def]
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(len(pairs))
        return real_fit(config, pairs, **more)

    monkeypatch.setattr(runs_module, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        compare_arms(PLAN, sources, tmp_path)
    trained.clear()
    again = compare_arms(PLAN, sources, tmp_path)
    assert len(trained) == again.trained == 2
    assert again.results.as_json() == finished[0].results.as_json()


def test_another_comparison_in_the_folder_is_refused(
    finished: tuple[Outcome, Path], sources: Sources, tmp_path: Path
) -> None:
    _, out = finished
    with pytest.raises(OutputConflict):
        compare_arms(replace(PLAN, detector=replace(PLAN.detector, lr=1e-3)), sources, out)
    other = replace(sources, gbd=(made(sources.xbd, tmp_path / "gbd", "train", seed=1),))
    with pytest.raises(OutputConflict, match="pairs"):
        compare_arms(PLAN, other, out)


def test_a_planted_leak_stops_before_anything_is_trained(sources: Sources, tmp_path: Path) -> None:
    leaky = replace(sources, gbd=(*sources.gbd, made(sources.xbd, tmp_path / "leak", "test")))
    with pytest.raises(LeakFound, match="looks like evaluation tile"):
        compare_arms(PLAN, leaky, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_given_pairs_belong_to_their_protocol(sources: Sources, tmp_path: Path) -> None:
    for wrong, plan in (
        (replace(sources, gbd=()), PLAN),
        (sources, replace(PLAN, name="rare-levels")),
    ):
        with pytest.raises(BadParameter, match="takes --gbd"):
            compare_arms(plan, wrong, tmp_path / "out")


def test_a_protocol_is_checked(sources: Sources, tmp_path: Path) -> None:
    wrong: list[dict] = [
        {"arms": ("gbd", "gbd")},
        {"seeds": (1, 1)},
        {"seeds": ()},
        {"seeds": (-1,)},
        {"held": -1},
        {"replicates": 0},
    ]
    for fields in wrong:
        with pytest.raises(BadParameter):
            replace(PLAN, **fields)
    with pytest.raises(UnknownName, match=r"\.\./x"):
        compare_arms(replace(PLAN, arms=("../x",)), sources, tmp_path / "out")
    with pytest.raises(UnknownName, match="new-event"):
        PROTOCOLS.find("magic")
    with pytest.raises(BadParameter, match="no tile is left"):
        compare_arms(replace(PLAN, test=()), sources, tmp_path / "out")
    assert Protocol.from_json(json.loads(json.dumps(PLAN.as_json()))) == PLAN


def test_the_page_holds_the_measured_figures_and_nothing_from_outside(
    finished: tuple[Outcome, Path],
) -> None:
    outcome, out = finished
    written = (out / "report.html").read_text()
    note = Section(title="<b>Gain</b> & more", paragraphs=("Squares on noise.",))
    noted = render("report.html", report=replace(report(outcome.results), notes=(note,)))
    (setting,) = outcome.results.settings
    for page in (written, noted, markdown(outcome.results)):
        for arm in setting.arms:
            assert f"{arm.score.mean:.3f}" in page
            assert f"{arm.figures['localization_f1'].mean:.3f}" in page
        assert f"{setting.arms[1].gain.mean:+.3f}" in page
        assert f"{setting.undamaged:.3f}" in page
    assert "&lt;b&gt;Gain" in noted and "<b>Gain" not in noted
    assert "Squares on noise." in noted
    assert "real post" in written and written.count("data:image/jpeg;base64,") >= 4
    for outside in ("http://", "https://", "<script", "<link", "@import", "url("):
        assert outside not in written


def test_results_become_rows_of_a_published_result(finished: tuple[Outcome, Path]) -> None:
    outcome, out = finished
    (setting,) = outcome.results.settings
    found = [PublishedRow.from_json(row) for row in rows(json.loads((out / RESULTS).read_text()))]
    assert [row.name for row in found] == ["oversampled", "gbd", "every building undamaged"]
    for row, arm in zip(found, setting.arms, strict=False):
        assert row.values["score"].value == pytest.approx(arm.score.mean, abs=1e-4)
        assert len(row.values["score"].per_seed) == 2
        assert ("gain" in row.values) == (arm.gain is not None)

"""Run a protocol: every setting, arm and seed once, whenever the time comes.

Seeds are the outer loop, so that a run that was stopped has whole comparisons to show. A training
that has its done-record is read, never done again (:mod:`afterscene.lab.runs`); its config,
card and log stay, its weights do not. Leaks are looked for before anything is trained: tiles by
name and by look, generators by the list of tiles in their config.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene import shipped
from afterscene.detectors import Detector, fit
from afterscene.detectors import load as load_detector
from afterscene.detectors.storage import WEIGHTS
from afterscene.errors import MissingFile, UnknownName
from afterscene.files import prepare_output, write_json
from afterscene.gbd.pair import Renderer
from afterscene.generators.checkpoint import load_weights
from afterscene.geodata.leaks import apart, check_leaks
from afterscene.geodata.pair import LabelledPair, read_pair, read_pairs
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.lab.arms import ARMS, build_synthetic, expected_mix, paste_renderer
from afterscene.lab.protocols import Protocol, Setting, settings
from afterscene.lab.runs import RECORD, Arm, Run, run_arm

#: Says that a base is whole.
DONE = "done.json"

#: told(setting, arm, seed, step, steps) after each optimiser step.
Told = Callable[[str, str, int, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A setting with its whole seeds: runs[arm] in the order of `seeds`."""

    setting: Setting
    seeds: tuple[int, ...]
    runs: Mapping[str, tuple[Run, ...]]
    events: tuple[str, ...]
    pairs_synthetic: Mapping[str, int]

    def counts(self, arms: Sequence[str]) -> np.ndarray:
        """(arms, seeds, tiles, ...) pixel counts."""
        return np.stack([np.stack([run.counts for run in self.runs[arm]]) for arm in arms])


@dataclass
class Data:
    """The pairs of a tree, decoded once when first asked for."""

    tree: XbdTree
    pairs: dict[str, Pair] = field(init=False)
    loaded: dict[str, LabelledPair] = field(default_factory=dict)
    folders: dict[Path, list[LabelledPair]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pairs = {pair.id: pair for pair in self.tree.pairs()}

    def real(self, ids: Sequence[str]) -> list[LabelledPair]:
        """Real pairs by id."""
        for i in ids:
            if i not in self.loaded:
                self.loaded[i] = read_pair(self.pairs[i])
        return [self.loaded[i] for i in ids]

    def synthetic(self, folders: Sequence[Path]) -> list[LabelledPair]:
        """All pairs of built folders."""
        for folder in folders:
            if folder not in self.folders:
                self.folders[folder] = read_pairs(folder, synthetic=True)
        return [pair for folder in folders for pair in self.folders[folder]]


def generator_for(setting: Setting, generators: Mapping[str, Path]) -> Path:
    """The generator's folder by event, or the one for all (""). Raises MissingFile, UnknownName."""
    folder = generators.get(setting.event or "", generators.get(""))
    if folder is None:
        event = setting.event or "these pairs"
        raise MissingFile(
            f"no generator is given for {event}; train one without it and give --model "
            f"{setting.event or ''}{'=' if setting.event else ''}FOLDER"
        )
    return shipped.find(folder, "bridge")


def prepare(
    protocol: Protocol, tree: XbdTree, generators: Mapping[str, Path], *, skip: bool = False
) -> tuple[tuple[Setting, ...], Data]:
    """The settings and the data, after the leak checks; nothing is written.

    Raises:
        UnknownName: an arm is not known.
        LeakFound: a test tile, its neighbour or its copy is among the training sources (with
            ``skip`` such pairs are left out), or a generator saw what a setting holds out.
    """
    for arm in protocol.arms:
        if arm not in ARMS:
            raise UnknownName(f"arm {arm!r} is not known; choose one of: {', '.join(ARMS)}")
    found, data = settings(protocol, tree), Data(tree)
    for setting in found:
        if any(ARMS[arm].generative for arm in protocol.arms):
            folder = generator_for(setting, generators)
            setting.check_generator(folder, load_weights(folder)[1].get("tiles"))
    return tuple(apart_from_tests(setting, data, skip=skip) for setting in found), data


def apart_from_tests(setting: Setting, data: Data, *, skip: bool) -> Setting:
    """The setting without the pairs that would leak; raises LeakFound unless ``skip``."""

    def kept(ids: Sequence[str], held_out: Sequence[str]) -> tuple[str, ...]:
        prints, others = ([p.fingerprint for p in data.real(some)] for some in (ids, held_out))
        return tuple(ids[index] for index in apart(prints, others, skip=skip)[0])

    val = kept(setting.val, setting.test)
    return replace(setting, val=val, real=kept(setting.real, (*setting.test, *val)))


def held_back(arm: Arm, each: int) -> tuple[Arm, list[LabelledPair]]:
    """The arm without each so-many-th of its synthetic pairs, and these."""
    made = [pair for pair in arm.pairs if pair.synthetic]
    held = made[each - 1 :: each] if each else []
    kept = tuple(pair for pair in arm.pairs if not any(pair is one for one in held))
    return replace(arm, pairs=kept), held


@dataclass
class Runner:
    """``Runner(...).run()``: what is missing is made, at most ``limit`` trainings."""

    protocol: Protocol
    tree: XbdTree
    generators: Mapping[str, Path]
    out: Path
    load_generator: Callable[[Path], Renderer]
    limit: int | None = None
    told: Told = lambda *_: None
    skip: bool = False
    trained: int = 0

    def run(self, *, overwrite: bool = False) -> tuple[list[Finished], bool]:
        """The finished comparisons, and whether all is done.

        Raises:
            LeakFound, OutputConflict, and what reading and training raise.
        """
        found, data = prepare(self.protocol, self.tree, self.generators, skip=self.skip)
        prepare_output(self.out, "protocol", run=self._settings(), overwrite=overwrite)
        runs: dict[tuple[str, str, int], Run] = {}
        sizes: dict[str, dict[str, int]] = {}
        for seed in self.protocol.seeds:
            for setting in found:
                for name in self.protocol.arms:
                    folder = self.out / "runs" / setting.name / f"{name}-seed{seed}"
                    new = not (folder / RECORD).is_file()
                    if new and self.limit is not None and self.trained >= self.limit:
                        return self._whole(found, data, runs, sizes), False
                    arm = self._arm(setting, name, data)
                    arm = replace(arm, start=self._base(setting, seed, data))
                    sizes.setdefault(setting.name, {})[name] = sum(p.synthetic for p in arm.pairs)
                    runs[setting.name, name, seed] = self._train(setting, arm, seed, data, folder)
                    self.trained += new
        return self._whole(found, data, runs, sizes), True

    def _settings(self) -> dict[str, Any]:
        """What must not change in a folder; events, numbers of pairs and seeds may be added."""
        kept = (
            *("protocol", "synthetic", "severity", "mode", "evaluations", "tiles", "draw"),
            *("region", "split", "held", "scenario_mix", "base_steps", "calibrated", "judged"),
        )
        return {
            **{name: getattr(self.protocol, name) for name in kept},
            "detector": self.protocol.detector.as_json(),
        }

    def _arm(self, setting: Setting, name: str, data: Data) -> Arm:
        kind = ARMS[name]
        pairs = data.real(setting.real)
        if kind.synthetic:
            if kind.generative:
                renderer = self._generator(generator_for(setting, self.generators))
            else:
                renderer = paste_renderer(setting, data.pairs)
            folders = build_synthetic(
                self.protocol, setting, data.pairs, kind.synthetic, renderer, self.out / "gbd"
            )
            made = data.synthetic(folders)
            held_out = data.real((*setting.test, *setting.val))
            check_leaks([p.fingerprint for p in made], [p.fingerprint for p in held_out])
            pairs = [*pairs, *made]
        return Arm(name=name, pairs=tuple(pairs))

    def _generator(self, folder: Path) -> Renderer:
        known: dict[Path, Renderer] = self.__dict__.setdefault("_known", {})
        if folder not in known:
            known[folder] = self.load_generator(folder)
        return known[folder]

    def _base(self, setting: Setting, seed: int, data: Data) -> Detector | None:
        """What all arms go on from: the other events' real pairs, levels drawn equally often."""
        steps = self.protocol.base_steps
        if not steps:
            return None
        event = setting.event or setting.name
        folder = self.out / "bases" / f"{event}-seed{seed}"
        if not (folder / DONE).is_file():
            config = replace(self.protocol.detector, steps=steps)
            pairs = data.real([i for i in setting.real if i not in setting.own])
            fit(
                config,
                pairs,
                seed=seed,
                out=folder,
                progress=lambda step, all_, _: self.told(event, "base", seed, step, all_),
            )
            write_json(folder / DONE, {"steps": steps})
        return load_detector(folder)

    def _train(self, setting: Setting, arm: Arm, seed: int, data: Data, folder: Path) -> Run:
        config = ARMS[arm.name].configure(self.protocol.detector, data.real(setting.real))
        arm, held = held_back(arm, self.protocol.held)
        if self.protocol.scenario_mix:
            arm = replace(arm, mix=expected_mix(self.protocol, setting, data.pairs))
        run = run_arm(
            arm,
            config,
            data.real(setting.test),
            [*data.real(setting.val), *held],
            seed=seed,
            folder=folder,
            show=setting.test if seed == self.protocol.seeds[0] else (),
            progress=lambda step, steps, _: self.told(setting.name, arm.name, seed, step, steps),
        )
        (folder / WEIGHTS).unlink(missing_ok=True)  # config, card and log stay
        return run

    def _whole(
        self,
        found: Sequence[Setting],
        data: Data,
        runs: Mapping[tuple[str, str, int], Run],
        sizes: Mapping[str, Mapping[str, int]],
    ) -> list[Finished]:
        """Settings of which at least one seed has every arm."""
        done = []
        for setting in found:
            seeds = tuple(
                seed
                for seed in self.protocol.seeds
                if all((setting.name, arm, seed) in runs for arm in self.protocol.arms)
            )
            if seeds:
                mine = {
                    arm: tuple(runs[setting.name, arm, seed] for seed in seeds)
                    for arm in self.protocol.arms
                }
                done.append(
                    Finished(
                        setting=setting,
                        seeds=seeds,
                        runs=mine,
                        events=tuple(pair.event for pair in data.real(setting.test)),
                        pairs_synthetic=sizes[setting.name],
                    )
                )
        return done

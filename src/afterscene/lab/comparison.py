"""Compare: train every setting, arm and seed of a protocol once.

Arms differ in their pairs and in how these are sampled; steps, crops, seeds and test tiles are the
same. Seeds are the outer loop, so that a comparison that was stopped can show finished seeds. A
finished training is read, never repeated (:mod:`afterscene.lab.runs`). Leaks are searched for
before any training: tiles by :mod:`afterscene.geodata.leaks`, generators by the list of tiles they
were trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from afterscene import shipped
from afterscene.detectors import Detector, load_detector
from afterscene.errors import BadParameter, MissingFile
from afterscene.files import prepare_output, write_json
from afterscene.gbd.generator import Generator
from afterscene.geodata.leaks import apart
from afterscene.geodata.pair import LabelledPair, read_pair, read_pairs
from afterscene.geodata.xbd import Pair, XbdTree
from afterscene.lab.arms import ARMS
from afterscene.lab.baselines import harvest
from afterscene.lab.protocols import GIVEN, Protocol
from afterscene.lab.results import Finished, Results, measured
from afterscene.lab.runs import RECORD, Scored, Training, train_and_score
from afterscene.lab.settings import Setting, settings
from afterscene.lab.synthesis import CopyPaste, build_synthetic, expected_mix

RESULTS = "results.json"
#: told(setting, arm, seed, step, steps), called after each optimiser step.
Told = Callable[[str, str, int, int, int], None]
#: Setting, arm and seed of a training.
Key = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the pairs come from.

    xbd: real pairs. gbd: folders of synthetic pairs, for the protocol ``given``. generators: by
    held-out event, "" for any; each a folder or a shipped name, which ``load_generator`` opens.
    """

    xbd: Path
    gbd: tuple[Path, ...] = ()
    generators: Mapping[str, Path] = field(default_factory=dict)
    load_generator: Callable[[Path], Generator] | None = None

    def generator_for(self, setting: Setting) -> Path:
        """The generator's folder. Raises MissingFile, UnknownName."""
        folder = self.generators.get(setting.event or "", self.generators.get(""))
        if folder is None:
            event = setting.event or "these pairs"
            raise MissingFile(
                f"no generator for {event}; train one without it and give --model "
                f"{setting.event or ''}{'=' if setting.event else ''}FOLDER"
            )
        return shipped.find(folder, "bridge")

    def as_json(self) -> dict[str, Any]:
        """Names of the folders."""
        return {
            "xbd": self.xbd.name,
            "gbd": [folder.name for folder in self.gbd],
            "generators": {event: folder.name for event, folder in self.generators.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Work:
    """Options of one call.

    `limit`: maximum number of trainings; `told`: called after each optimiser step; `skip`: leave
    out training pairs that leak; `say`: told which and why.
    """

    limit: int | None = None
    overwrite: bool = False
    told: Told = lambda *_: None
    skip: bool = False
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The results so far.

    `trained`: number of trainings in this call; `tile`: a real pair by its id, for the pictures.
    """

    results: Results
    finished: tuple[Finished, ...]
    trained: int
    tile: Callable[[str], LabelledPair]


def compare_arms(protocol: Protocol, sources: Sources, out: Path, work: Work = Work()) -> Outcome:
    """Run or continue the protocol in ``out``: train what is missing, write ``out/results.json``.

    Raises:
        UnknownName: unknown arm, event or split.
        LeakFound: a test tile, its neighbour or its copy is among the training sources (with
            ``skip`` such pairs are left out), or a generator was trained on held-out tiles.
        OutputConflict: ``out`` holds another comparison.
    """
    comparison = _Comparison(protocol=protocol, sources=sources, out=out, work=work)
    found = comparison.checked_settings()
    prepare_output(out, "compare", run=_unchanging(protocol), overwrite=work.overwrite)
    runs, trained = comparison.runs(found)
    finished = tuple(comparison.finished(found, runs))
    results = Results(
        protocol=protocol,
        sources=sources.as_json(),
        settings=tuple(measured(done, protocol.replicates) for done in finished),
        whole=len(runs) == len(found) * len(protocol.arms) * len(protocol.seeds),
    )
    write_json(out / RESULTS, results.as_json())
    tile = comparison.data.tile
    return Outcome(results=results, finished=finished, trained=trained, tile=tile)


def _unchanging(protocol: Protocol) -> dict[str, Any]:
    """Settings that are fixed per folder; events, numbers of pairs, arms and seeds may be added."""
    free = {"events", "pairs", "arms", "seeds", "replicates"}
    return {name: value for name, value in protocol.as_json().items() if name not in free}


def held_back(
    pairs: Sequence[LabelledPair], each: int
) -> tuple[list[LabelledPair], list[LabelledPair]]:
    """The pairs without every ``each``-th synthetic one, and these; 0 holds none back."""
    made = [pair for pair in pairs if pair.synthetic]
    held = made[each - 1 :: each] if each else []
    out = {id(pair) for pair in held}
    return [pair for pair in pairs if id(pair) not in out], held


@dataclass
class DecodedPairs:
    """The pairs of a tree and of folders, each decoded once, on first use."""

    tree: XbdTree
    pairs: Mapping[str, Pair] = field(init=False)

    def __post_init__(self) -> None:
        self.pairs = {pair.id: pair for pair in self.tree.pairs()}
        self.tile = cache(lambda i: read_pair(self.pairs[i]))
        self._made = cache(partial(read_pairs, synthetic=True))

    def real(self, ids: Sequence[str]) -> list[LabelledPair]:
        """Real pairs by id."""
        return [self.tile(i) for i in ids]

    def synthetic(self, folders: Sequence[Path]) -> list[LabelledPair]:
        """All pairs of built folders."""
        return [pair for folder in folders for pair in self._made(folder)]


class _Comparison:
    """One call of :func:`compare_arms`."""

    def __init__(self, *, protocol: Protocol, sources: Sources, out: Path, work: Work) -> None:
        self.protocol, self.sources, self.out, self.work = protocol, sources, out, work
        self.data = DecodedPairs(XbdTree(sources.xbd))
        self.generator = cache(self._load)
        self.leave_out = cache(self.work.say)  # each sentence once

    def _load(self, folder: Path) -> Generator:
        assert self.sources.load_generator is not None
        return self.sources.load_generator(folder)

    def checked_settings(self) -> list[Setting]:
        """The settings after all checks; nothing is written."""
        given, name = self.sources.gbd, self.protocol.name
        if bool(given) != (name == GIVEN):
            raise BadParameter(
                f"only the protocol {GIVEN!r} takes --gbd, and needs it; {name!r} got {len(given)} "
                f"folders: {'leave --gbd out' if given else 'give --gbd FOLDER'}"
            )
        kinds = [ARMS.find(arm) for arm in self.protocol.arms]
        found = settings(self.protocol, self.data.tree)
        if any(kind.generative for kind in kinds) and not given:
            for setting in found:
                folder = self.sources.generator_for(setting)
                setting.check_generator(folder, shipped.seen(folder))
        kept = [self._apart_from_tests(setting) for setting in found]
        for setting in kept:
            self._apart(self.data.synthetic(given), setting)
        return kept

    def _apart_from_tests(self, setting: Setting) -> Setting:
        val = self._kept(self.data.real(setting.val), self.data.real(setting.test))
        setting = replace(setting, val=tuple(pair.id for pair in val))
        real = self._apart(self.data.real(setting.real), setting)
        return replace(setting, real=tuple(pair.id for pair in real))

    def _apart(self, pairs: Sequence[LabelledPair], setting: Setting) -> list[LabelledPair]:
        """The pairs that are apart from test and val tiles. Raises LeakFound unless `skip`."""
        return self._kept(pairs, self.data.real((*setting.test, *setting.val)))

    def _kept(
        self, pairs: Sequence[LabelledPair], held_out: Sequence[LabelledPair]
    ) -> list[LabelledPair]:
        prints, others = ([pair.fingerprint for pair in some] for some in (pairs, held_out))
        kept, why = apart(prints, others, skip=self.work.skip)
        for words in why:
            self.leave_out(f"left out: {words}")
        return [pairs[index] for index in kept]

    def runs(self, found: Sequence[Setting]) -> tuple[dict[Key, Scored], int]:
        """All finished runs, up to the limit of new ones, and the number of new ones."""
        runs: dict[Key, Scored] = {}
        trained = 0
        for seed in self.protocol.seeds:
            for setting in found:
                for arm in self.protocol.arms:
                    folder = self.out / "runs" / setting.name / f"{arm}-seed{seed}"
                    new = not (folder / RECORD).is_file()
                    if new and trained == self.work.limit:
                        return runs, trained
                    runs[setting.name, arm, seed] = self._run(setting, arm, seed, folder)
                    trained += new
        return runs, trained

    def _run(self, setting: Setting, arm: str, seed: int, folder: Path) -> Scored:
        protocol, kind, real = self.protocol, ARMS.find(arm), self.data.real(setting.real)
        made = self._synthetic(setting, kind.synthetic) if kind.synthetic else []
        pairs, held = held_back([*real, *made], protocol.held)
        mix = expected_mix(protocol, setting, self.data.pairs) if protocol.scenario_mix else None
        training = Training(
            config=kind.configure(protocol.detector, real),
            seed=seed,
            pairs=pairs,
            validation=[*self.data.real(setting.val), *held],
            start=self._base(setting, seed),
            mix=mix,
        )
        return train_and_score(
            training,
            self.data.real(setting.test),
            folder,
            show=setting.test if seed == protocol.seeds[0] else (),
            told=partial(self.work.told, setting.name, arm, seed),
        )

    def _synthetic(self, setting: Setting, kind: str) -> list[LabelledPair]:
        """The synthetic pairs of an arm; given pairs replace generated ones."""
        folders: Sequence[Path] = self.sources.gbd
        if kind != "gbd" or not folders:
            if kind == "gbd":
                renderer = self.generator(self.sources.generator_for(setting))
            else:
                renderer = CopyPaste(harvest(self.data.real(setting.real)).donors)
            folders = build_synthetic(
                self.protocol, setting, self.data.pairs, kind, renderer, self.out / "gbd"
            )
        return self._apart(self.data.synthetic(folders), setting)

    def _base(self, setting: Setting, seed: int) -> Detector | None:
        """The detector all arms start from: trained on the other events, levels equally often."""
        steps, event = self.protocol.base_steps, setting.event or setting.name
        if not steps:
            return None
        folder = self.out / "bases" / f"{event}-seed{seed}"
        if not (folder / RECORD).is_file():
            others = [i for i in setting.real if i not in setting.own]
            config = replace(self.protocol.detector, steps=steps)
            training = Training(config=config, seed=seed, pairs=self.data.real(others))
            training.fit(folder, partial(self.work.told, event, "base", seed))
            write_json(folder / RECORD, {"steps": steps})
        return load_detector(folder)

    def finished(self, found: Sequence[Setting], runs: Mapping[Key, Scored]) -> list[Finished]:
        """Settings with at least one seed for which every arm is finished."""
        arms, done = self.protocol.arms, []
        for setting in found:
            seeds = tuple(
                seed
                for seed in self.protocol.seeds
                if all((setting.name, arm, seed) in runs for arm in arms)
            )
            if seeds:
                mine = {arm: [runs[setting.name, arm, seed] for seed in seeds] for arm in arms}
                events = [self.data.pairs[i].event for i in setting.test]
                done.append(Finished(setting=setting, seeds=seeds, runs=mine, events=events))
        return done

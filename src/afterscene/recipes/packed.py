"""Training from a pack: the small door, ``python -m afterscene.recipes.packed PACK --out RUN``.

It runs on a bare machine with a graphics card, where only torch, numpy, pillow and safetensors are
installed: nothing that this module imports may need more. ``afterscene train`` takes packs too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from afterscene.errors import AftersceneError
from afterscene.generators.distillation import DistilConfig
from afterscene.generators.training import TrainConfig, bridge_trainer
from afterscene.recipes.export import finish_bridge
from afterscene.recipes.initial import initial
from afterscene.recipes.overrides import by_the_clock, override
from afterscene.recipes.pack import Pack
from afterscene.recipes.record import Data
from afterscene.recipes.running import Run
from afterscene.shipped import seen
from afterscene.training.loop import Trainer
from afterscene.training.processes import device, joined
from afterscene.training.signals import caught_signals

#: Seconds between two lines about a run.
TOLD = 20


@dataclass(frozen=True, kw_only=True)
class PackedRun(Run):
    """A run on a pack.

    Attributes:
        config: That of the pack, with settings.
        pack: The pack.
        without: Events whose tiles are left out.
    """

    config: TrainConfig
    pack: Pack
    without: tuple[str, ...] = ()

    def read(self) -> Data:
        """Decode the tiles; those for validation without what the initial model has seen.

        Raises:
            BadParameter: an event to leave out is unknown, or nothing is left.
        """
        data = self.pack.data(self.without)
        known = set(self._seen() or ())
        both = sorted(known & data.held_out)
        if not both:
            return data
        told = (
            f"{self.initial} has seen {len(both)} of the tiles that are held out, such as "
            f"{both[0]}; leave them out of every evaluation (--on-error skip)"
        )
        held = [tile for tile in data.validation if tile.name not in known]
        return replace(data, validation=held, leaks=(*data.leaks, told))

    def _seen(self) -> list[str] | None:
        """Names of the tiles that the initial model has seen; None: it does not say."""
        model = self.first_weights()
        return [] if model is None else seen(model)

    def start(self, trainer: Trainer, data: Data) -> list[str] | None:
        """Load initial weights, if given; the names of the tiles that they saw."""
        model = self.first_weights()
        if model is not None:
            trainer.start_from(initial(model, self.config), str(model))
        return self._seen()

    def trainer(self, data: Data) -> Trainer:
        """A trainer for that data at its first step."""
        return bridge_trainer(
            self.config,
            data.train,
            self.out,
            validation=data.validation,
            device=device(),
            group=self.group,
            together=True,
        )

    def export(self, data: Data) -> None:
        """Write the model folder."""
        finish_bridge(self.out, self.out / "model", self.config, data.train)

    @property
    def next(self) -> str:
        """The next training of the list in docs/howto/train-generator.md."""
        events = self.pack.events
        done = [events.index(event) for event in self.without if event in events]
        left = events[max(done, default=-1) + 1 :]
        if not left:
            return "the detectors: afterscene train unet --data XBD --out RUN"
        out = self.out.parent / f"without-{left[0]}"
        return (
            f"a generator that never saw {left[0]}: python -m afterscene.recipes.packed "
            f"{self.pack.path} --out {out} --without {left[0]}"
        )


def main(args: Sequence[str] | None = None) -> int:
    """Train, say how far it is and what to do next; 2 for what a user can mend."""
    parser = argparse.ArgumentParser(prog="afterscene.recipes.packed", description=__doc__)
    parser.add_argument("pack", type=Path, help="File written by `afterscene pack`.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of the run.")
    parser.add_argument("--minutes", type=float, help="Train by the clock.")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE; repeatable.")
    parser.add_argument("--without", action="append", default=[], help="Event to leave out.")
    parser.add_argument("--init", type=Path, help="Model folder to take the initial weights from.")
    parser.add_argument("--distil", action="store_true", help="Distil --init to few evaluations.")
    parser.add_argument("--resume", action="store_true", help="Go on from the newest state.")
    try:
        return _carry_out(parser.parse_args(args))
    except AftersceneError as error:
        sys.stderr.write(f"afterscene: {error}\n")
        return 2


def _carry_out(asked: argparse.Namespace) -> int:
    pack = Pack(asked.pack)
    packed = DistilConfig.of(pack.config) if asked.distil else pack.config
    with joined() as group:
        run = PackedRun(
            config=by_the_clock(override(packed, asked.set), asked.minutes, asked.set),
            pack=pack,
            out=asked.out,
            without=tuple(asked.without),
            initial=asked.init,
            resume=asked.resume,
            group=group,
        )
        trainer, data, said = run.prepare()
        say = _say if group.first else (lambda _: None)
        for sentence in said:
            say(f"warning: {sentence}")
        say(f"{len(data.train)} tiles, {len(data.validation)} for validation")
        _take_steps(trainer, say)
        say(json.dumps(run.finish(trainer, data)))
        again = "stopped; the same command with --resume goes on"
        say(again if trainer.stopped else f"next, {run.next}")
    return trainer.stopped


def _take_steps(trainer: Trainer, say: Callable[[str], None]) -> None:
    told = -float(TOLD)
    with caught_signals() as codes:
        for record in trainer.run(lambda: max(codes, default=0)):
            if time.monotonic() - told >= TOLD or trainer.done:
                told = time.monotonic()
                say(f"step {trainer.step}, {trainer.seconds:.0f} s, loss {record['loss']:.4f}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

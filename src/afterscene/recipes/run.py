"""One training run from a recipe's config, folders of pairs and an output folder.

What ``afterscene train`` and ``afterscene detect fit`` do, as a function.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from afterscene.recipes.data import Folders, inherited, read_data
from afterscene.recipes.record import Data
from afterscene.recipes.registry import KINDS
from afterscene.recipes.running import Run
from afterscene.training.loop import Trainer
from afterscene.training.processes import device


@dataclass(frozen=True, kw_only=True)
class TrainRun(Run):
    """A run on folders of pairs.

    Attributes:
        folders: Where its pairs come from.
    """

    folders: Folders

    @property
    def _kind(self) -> ModuleType:
        return KINDS[type(self.config)]

    def read(self) -> Data:
        """Decode the pairs. Raises LeakFound, and the errors of reading them."""
        return read_data(self._kind, self.folders)

    def trainer(self, data: Data) -> Trainer:
        """A trainer for that data at its first step."""
        group = self.group
        made: Trainer = self._kind.make_trainer(
            self.config, data, self.out, device=device(), group=group
        )
        return made

    def start(self, trainer: Trainer, data: Data) -> list[str] | None:
        """Load the initial weights, if given. Raises LeakFound if they saw a held-out tile."""
        model = self.first_weights()
        if model is None:
            return []
        trainer.start_from(self._kind.initial(model, self.config), str(self.initial))
        return inherited(model, data.held_out)

    def export(self, data: Data) -> None:
        """Write the model folder."""
        self._kind.finish(self.out, self.out / "model", self.config, data)

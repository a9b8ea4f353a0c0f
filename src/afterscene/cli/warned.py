"""How commands show warnings: each once, at most three of a kind, the rest counted.

They wait until the command has done a first part of its work: an error is one sentence alone.
"""

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from afterscene.errors import AftersceneWarning

SHOWN = 3
"""Warnings of a kind printed in full; a folder may cause thousands of them."""


@dataclass(frozen=True, kw_only=True)
class Warned:
    """What the library has warned of in this command; ``say`` prints a line for a person."""

    say: Callable[[str], None]
    lines: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _counts: Counter[str] = field(default_factory=Counter)
    _waiting: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Take over from Python's own display, for our warnings alone.

        Whoever called the command restores it (:func:`warnings.catch_warnings`).
        """
        others = warnings.showwarning

        def show(message: Warning | str, kind: type[Warning], *rest: object) -> None:
            if issubclass(kind, AftersceneWarning):
                self._add(str(message), kind.__name__)
            else:
                others(message, kind, *rest)  # type: ignore[arg-type]

        warnings.simplefilter("always", AftersceneWarning)
        warnings.showwarning = show  # type: ignore[assignment]

    def _add(self, sentence: str, kind: str) -> None:
        if sentence in self._seen:
            return
        self._seen.add(sentence)
        self._counts[kind] += 1
        if self._counts[kind] <= SHOWN:
            self._line(sentence)

    def _line(self, sentence: str) -> None:
        self.lines.append(sentence)
        self._waiting.append(sentence)

    def show(self) -> None:
        """Print what waits."""
        for sentence in self._waiting:
            self.say(f"warning: {sentence}")
        self._waiting.clear()

    def finish(self) -> list[str]:
        """All lines, after one more for each kind of which not all were printed."""
        for kind, count in self._counts.items():
            if count > SHOWN:
                self._line(f"{count - SHOWN} more warnings of this kind ({kind})")
        self._counts.clear()
        self.show()
        return self.lines

"""Charts as SVG by matplotlib (the extra ``lab``): intervals on one axis, and line charts.

The same values give the same bytes: no date, ids from a fixed salt, no settings of the machine.
Text stays text, in the colour and font of the page around it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from markupsafe import Markup

from afterscene.errors import BadParameter, MissingExtra
from afterscene.metrics.bootstrap import Interval

#: Distinguishable with any common colour blindness (Tol), and by their order in the legend.
LINES = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb")
ACCENT, GREY = "#c2571a", "#8a8a8a"  # visible on light and on dark backgrounds
_STYLE: Any = {
    "svg.hashsalt": "afterscene",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.frameon": False,
}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def require_matplotlib() -> None:
    """Call this before hours of work that end in a chart. Raises MissingExtra."""
    if find_spec("matplotlib") is None:
        raise MissingExtra(
            "charts need matplotlib, which is not installed; install it with: "
            'pip install "afterscene[lab]"'
        )


def svg(draw: Callable[[Any], None], *, width: float, height: float, paper: str = "none") -> str:
    """What `draw` draws on the given axes, as an SVG file of that size in points.

    Raises:
        MissingExtra: without matplotlib.
    """
    require_matplotlib()
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.figure import Figure

    with rc_context():
        rcdefaults()
        rcParams.update(_STYLE)
        figure = Figure(figsize=(width / 72, height / 72), layout="constrained", facecolor=paper)
        axes = figure.subplots()
        axes.set_facecolor("none")
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=_NO_METADATA)
    return out.getvalue()


def _inline(svg: str) -> Markup:
    """An SVG file as an element of a page: no prologue, no addresses of its namespaces."""
    return Markup(re.sub(r'<[?!][^>]*>\s*| xmlns(:xlink)?="[^"]*"', "", svg))


def _wide(low: float, high: float) -> tuple[float, float]:
    """An axis of at least 0.02, so that the last digits of equal scores do not fill it."""
    pad = max(0.0, 0.02 - (high - low)) / 2
    return low - pad, high + pad


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Named intervals on one axis; `points` are single measurements, such as one per seed."""

    caption: str
    names: tuple[str, ...]
    intervals: tuple[Interval, ...]
    points: tuple[tuple[float, ...], ...] = ()

    def svg(self) -> Markup:
        """Each interval as a bar with its mean; points as rings; a line at 0 if it is inside."""
        return _inline(svg(self._draw, width=340, height=26 * len(self.names) + 30))

    def _draw(self, axes: Any) -> None:
        for y, span in enumerate(self.intervals):
            bar = {"color": ACCENT, "alpha": 0.4, "solid_capstyle": "round", "clip_on": False}
            axes.plot([span.low, span.high], [y, y], linewidth=4, **bar)
            axes.plot(span.mean, y, "o", color=ACCENT, zorder=3, clip_on=False)
            beside = {"xycoords": ("axes fraction", "data"), "verticalalignment": "center"}
            axes.annotate(f"{span.mean:.3f}", (1.02, y), annotation_clip=False, **beside)
        for y, values in enumerate(self.points):
            ring = {"markerfacecolor": "none", "markeredgecolor": GREY, "markersize": 5}
            axes.plot(values, [y] * len(values), "o", clip_on=False, **ring)
        low, high = axes.set_xlim(_wide(*axes.get_xlim()))
        if low < 0 < high:
            axes.axvline(0, color=GREY, linestyle=":", linewidth=1, clip_on=False)
        axes.set_yticks(range(len(self.names)), self.names)
        axes.set_ylim(len(self.names) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Lines over one number, such as the number of real pairs: name -> one value per place."""

    caption: str
    places: tuple[float, ...]
    lines: tuple[tuple[str, tuple[Interval, ...]], ...]

    def __post_init__(self) -> None:
        if any(len(line) != len(self.places) for _, line in self.lines):
            raise BadParameter(
                f"curves '{self.caption}': each line needs {len(self.places)} values"
            )

    def svg(self) -> Markup:
        """One line each, its interval as a shaded band; places are equally spaced."""
        rows = -(-len(self.lines) // 2)
        return _inline(svg(self._draw, width=340, height=200 + 16 * rows))

    def _draw(self, axes: Any) -> None:
        xs = range(len(self.places))  # 0, 2, 5, 10, 20 would otherwise crowd
        for number, (name, line) in enumerate(self.lines):
            colour = LINES[number % len(LINES)]
            low, high = [span.low for span in line], [span.high for span in line]
            axes.fill_between(xs, low, high, color=colour, alpha=0.1, linewidth=0, clip_on=False)
            means = [span.mean for span in line]
            axes.plot(xs, means, color=colour, linewidth=2, label=name, clip_on=False)
        axes.set_ylim(_wide(*axes.get_ylim()))
        axes.set_xticks(xs, [f"{place:g}" for place in self.places])
        axes.grid(axis="y", color=GREY, alpha=0.3, clip_on=False)
        axes.figure.legend(loc="outside lower center", ncols=2)

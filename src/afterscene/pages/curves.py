"""Curves as inline SVG: one line an arm, its interval as a soft band, a legend below."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from afterscene.pages.report import Curves

#: Told apart by people with any common colour blindness, and by their order in the legend.
COLOURS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb")
LEFT, RIGHT, TOP, BOTTOM = 50, 600, 10, 260


def draw(curves: Curves) -> str:
    """The figure; places stand at equal distances, as 0, 2, 5, 10, 20 would else crowd."""
    spans = [span for _, line in curves.lines for span in line]
    low, high = min(s.low for s in spans), max(s.high for s in spans)
    pad = 0.08 * (high - low or 1.0)
    low, high = low - pad, high + pad
    steps = max(1, len(curves.places) - 1)
    xs = [LEFT + (RIGHT - LEFT) * i / steps for i in range(len(curves.places))]

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low)

    parts = []
    for value in (low + pad, (low + high) / 2, high - pad):
        parts.append(
            f'<line class="zero" x1="{LEFT}" x2="{RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
            f'<text class="tick" x="{LEFT - 6}" y="{y(value) + 4:.1f}" '
            f'text-anchor="end">{value:.3f}</text>'
        )
    for number, (_, line) in enumerate(curves.lines):
        colour = COLOURS[number % len(COLOURS)]
        edge = [f"{x:.1f},{y(s.high):.1f}" for x, s in zip(xs, line, strict=True)]
        edge += [f"{x:.1f},{y(s.low):.1f}" for x, s in reversed(list(zip(xs, line, strict=True)))]
        mean = " ".join(f"{x:.1f},{y(s.mean):.1f}" for x, s in zip(xs, line, strict=True))
        parts.append(f'<polygon points="{" ".join(edge)}" fill="{colour}" opacity="0.1"/>')
        parts.append(
            f'<polyline points="{mean}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )
    for x, place in zip(xs, curves.places, strict=True):
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{BOTTOM + 18}" '
            f'text-anchor="middle">{place:g}</text>'
        )
    legend = "".join(
        f'<li><span style="background:{COLOURS[i % len(COLOURS)]}"></span>{escape(name)}</li>'
        for i, (name, _) in enumerate(curves.lines)
    )
    return (
        f'<figure class="chart"><figcaption>{escape(curves.caption)}</figcaption>'
        f'<svg viewBox="0 0 640 {BOTTOM + 26}" role="img" aria-label="{escape(curves.caption)}">'
        f'{"".join(parts)}</svg><ul class="legend">{legend}</ul></figure>'
    )

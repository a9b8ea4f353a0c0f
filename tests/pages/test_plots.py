"""Charts: the same bytes every time, text stays text and harmless, and the extra is named."""

import sys
from xml.etree import ElementTree

import pytest

from afterscene.errors import BadParameter, MissingExtra
from afterscene.metrics.bootstrap import Interval
from afterscene.pages.plots import Chart, Curves, svg
from afterscene.pages.render import render
from afterscene.pages.report import Report, Table


def span(mean: float) -> Interval:
    return Interval(mean=mean, low=mean - 0.1, high=mean + 0.1)


CHART = Chart(
    caption="scores of <arms>",
    names=("real", "<script>", "$x^2$ & co"),
    intervals=(span(0.05), span(0.5), span(0.7)),
    points=((0.02, 0.08), (0.5,), ()),
)
CURVES = Curves(
    caption="score over pairs",
    places=(0, 2, 20),
    lines=(("real", (span(0.2), span(0.3), span(0.4))), ("<b>", (span(0.3),) * 3)),
)


@pytest.mark.parametrize("chart", [CHART, CURVES])
def test_a_chart_is_a_function_of_its_values_whatever_the_machine_is_set_to(chart, monkeypatch):
    import matplotlib

    first = chart.svg()
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 30)
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "path")
    assert chart.svg() == first
    assert matplotlib.rcParams["font.size"] == 30, "the settings are as they were"


def texts(svg: str) -> list[str]:
    marked = str(svg).replace("<svg", '<svg xmlns:xlink="x"', 1)
    return ["".join(e.itertext()) for e in ElementTree.fromstring(marked).iter("text")]


def test_names_stand_in_a_chart_as_they_are_written():
    said = texts(CHART.svg())
    assert set(CHART.names) <= set(said) and {"0.050", "0.500", "0.700"} <= set(said)
    assert {"0", "2", "20", "real", "<b>"} <= set(texts(CURVES.svg()))


def test_a_page_with_charts_loads_nothing_and_runs_nothing():
    page = render("report.html", report=Report(title="T", charts=(CHART, CURVES)))
    assert page.count("<svg") == 2 and "scores of &lt;arms&gt;" in page
    for outside in ("http://", "https://", "<script", "<link", "@import", "url("):
        assert outside not in page


def test_equal_scores_are_not_torn_apart():
    same = Interval(mean=7e-7, low=7e-7, high=7e-7)
    chart = Chart(caption="c", names=("a", "b"), intervals=(same, same))
    curves = Curves(caption="c", places=(0, 1), lines=(("a", (same, same)),))
    for drawing in (chart.svg(), curves.svg()):
        assert not [text for text in texts(drawing) if "e" in text], "no power of ten at the axis"


def test_more_values_than_places_are_refused():
    with pytest.raises(BadParameter, match="needs 2 values"):
        Curves(caption="c", places=(0, 1), lines=(("real", (span(0.2),)),))


def test_without_matplotlib_a_chart_names_the_extra_and_a_page_without_one_is_made(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"afterscene\[lab\]"):
        CHART.svg()
    with pytest.raises(MissingExtra, match=r"afterscene\[lab\]"):
        svg(lambda axes: None, width=100, height=100)
    table = Table(caption="c", columns=("a",), rows=(("x",),))
    assert "<td>x</td>" in render("report.html", report=Report(title="T", tables=(table,)))

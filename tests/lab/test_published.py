"""What is published: each record is whole and agrees with itself."""

from datetime import date

import pytest

from afterscene.errors import UnknownName
from afterscene.lab.published import PublishedResult, Value, published, published_names

EVERY = {name: published(name) for name in published_names()}


@pytest.mark.parametrize("name", EVERY)
def test_a_result_says_how_it_was_measured(name):
    record = EVERY[name]
    assert record.title and record.rows and record.commit
    assert record.commands or any("by hand" in said for said in record.caveats)
    assert date.fromisoformat(record.date)
    assert len({row.name for row in record.rows}) == len(record.rows)


@pytest.mark.parametrize("name", EVERY)
def test_a_held_out_result_says_how_many_tiles_and_a_reused_one_says_so(name):
    record = EVERY[name]
    if record.split == "test":
        assert record.tiles
    if record.opened is not None and record.opened > 1:
        assert any("same" in said for said in record.caveats), "say beside it that it was reused"


@pytest.mark.parametrize("name", EVERY)
def test_the_figures_of_a_result_agree_with_each_other(name):
    """A mean lies in its interval and is that of its seeds; a gain is a difference to the best."""
    record = EVERY[name]
    for row in record.rows:
        for value in row.values.values():
            if value.per_seed:
                assert len(value.per_seed) == record.seeds
                assert value.value == pytest.approx(sum(value.per_seed) / record.seeds, abs=1.01e-3)
        if "gain" in row.values and "score" in row.values:
            over = record.row(record.best).values["score"].value
            gain = row.values["gain"].value
            assert gain == pytest.approx(row.values["score"].value - over, abs=1.1e-3)


def test_a_value_is_told_with_its_interval():
    assert Value(value=0.161, low=0.076, high=0.235).told("+.3f") == "+0.161 (+0.076 to +0.235)"
    assert Value(value=7).told(".0f") == "7"


def test_an_unknown_result_or_row_lists_the_known():
    with pytest.raises(UnknownName, match="unseen-wind"):
        published("gone")
    record = published("unseen-wind")
    assert isinstance(record, PublishedResult)
    with pytest.raises(UnknownName, match="copy-paste"):
        record.row("gone")

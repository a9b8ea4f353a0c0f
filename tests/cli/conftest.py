"""A detector of two steps, for the commands that need one."""

from dataclasses import replace

import pytest


@pytest.fixture(scope="session")
def quick_model(tmp_path_factory):
    """The folder of a detector that has learned nothing."""
    from tests.detectors.toys import TINY, toy_pair

    from afterscene.detectors import fit

    path = tmp_path_factory.mktemp("detector") / "model"
    return fit(replace(TINY, steps=2), [toy_pair(0)], seed=0).save(path)


@pytest.fixture(scope="session")
def refused():
    """``refused(outcome, *words)``: one sentence that has the words, exit code 2, no trace."""

    def check(outcome, *words):
        assert outcome.code == 2, outcome.stderr
        assert outcome.stderr.count("\n") == 1, outcome.stderr
        assert outcome.stderr.startswith("afterscene: ")
        for word in words:
            assert str(word) in outcome.stderr, outcome.stderr

    return check

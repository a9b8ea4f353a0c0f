"""How the command ends: mendable errors are sentences, mistakes of ours are traces."""

import pytest

from afterscene.cli import hazards
from afterscene.errors import BadParameter


@pytest.fixture
def breaks(monkeypatch):
    def with_error(error):
        def output(**_):
            raise error

        monkeypatch.setattr(hazards, "Output", output)

    return with_error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (BadParameter("severity 3 is too much; give 1"), 2, "severity 3 is too much"),
        (OSError(28, "No space left on device", "a/b.png"), 2, "a/b.png: No space left"),
        (KeyboardInterrupt(), 130, "goes on where it left off"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(afterscene, breaks, error, code, words):
    breaks(error)
    outcome = afterscene("hazards", "list")
    assert outcome.code == code
    assert words in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert outcome.stdout == ""


def test_a_mistake_of_ours_is_not_hidden(afterscene, breaks):
    breaks(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        afterscene("hazards", "list")


def test_an_unknown_command_exits_with_2(afterscene):
    assert afterscene("no-such-command").code == 2
    assert afterscene("synthesize").code == 2

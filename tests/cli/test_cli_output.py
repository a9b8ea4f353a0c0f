"""Progress on stderr, where it is no terminal."""

from afterscene.cli import output


def test_no_rate_is_printed_before_anything_is_done(monkeypatch, capsys):
    monkeypatch.delenv("AFTERSCENE_NO_PROGRESS", raising=False)
    monkeypatch.setattr(output, "LOG_SECONDS", 0.0)
    with output.Output().progress("pairs", total=2) as advance:
        advance(0)
        advance(2)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pairs: 2/2")

"""The commands of the school: ``course``, with its league."""

import typer

from afterscene.school.commands import course


def register_school(app: typer.Typer) -> None:
    """Add the commands of the school to ``app``."""
    app.add_typer(course.app, name="course")

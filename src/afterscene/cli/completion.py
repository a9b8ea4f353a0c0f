"""Completion in the shell: names of hazards, models and formats of this installation.

A function takes what was typed so far and imports only what it needs, since the shell waits.
"""


def hazard_names(incomplete: str) -> list[str]:
    """Hazards whose names begin so."""
    from afterscene.hazards import HAZARDS

    return [name for name in HAZARDS if name.startswith(incomplete)]


def model_names(incomplete: str) -> list[str]:
    """Shipped models whose names begin so; a shell adds folders by itself where there are none."""
    from afterscene import shipped

    return [name for name in shipped.models() if name.startswith(incomplete)]


def format_names(incomplete: str) -> list[str]:
    """Export formats whose names begin so."""
    from afterscene.gbd.export import EXPORTERS

    return [name for name in EXPORTERS if name.startswith(incomplete)]

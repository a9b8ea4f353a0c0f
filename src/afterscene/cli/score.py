"""``afterscene score``: the xView2 score of a folder of predictions."""

from pathlib import Path
from typing import Annotated, Any

import typer

from afterscene.cli.output import Json, Output, table

Predictions = Annotated[Path, typer.Argument(metavar="PRED_DIR", help="Folder of predicted masks.")]
Targets = Annotated[Path, typer.Argument(metavar="TARGET_DIR", help="Folder of true masks.")]


def score(predictions: Predictions, targets: Targets, as_json: Json = False) -> None:
    """Score prediction masks by the official xView2 rules.

    Both folders use the file names of the xView2 challenge, 1024x1024 pixels:
    {test|hold}_{localization|damage}_{5 digits}_{prediction|target}.png.
    """
    from afterscene.metrics.folders import score_folder

    result = score_folder(predictions, targets)
    Output(json=as_json).result(result.as_json(), score_text(result.as_json()))


def score_text(values: dict[str, Any]) -> str:
    """The figures as a table; a level missing from the set is named: it sets the damage F1 to 0."""
    numbers = [(k, f"{v:.4f}") for k, v in values.items() if isinstance(v, float)]
    text = table(("figure", "value"), numbers)
    if values["absent_levels"]:
        words = ", ".join(values["absent_levels"])
        text += f"\n\nNo target pixel is {words}: the official damage F1 counts such a level as 0."
    return f"{text}\nun-classified buildings: {values['unclassified']}"


def evaluation_text(values: dict[str, Any]) -> str:
    """Events, levels of whole buildings, calibration and interval, as tables."""
    events = [
        (name, row["pairs"], f"{row['score']:.4f}", f"{row['localization_f1']:.4f}")
        for name, row in values["events"].items()
    ]
    objects = values["objects"]
    levels = [(word, f"{f1:.4f}") for word, f1 in objects["f1"].items()]
    low, high = values["intervals"]["score"]
    return "\n\n".join(
        (
            table(("event", "pairs", "score", "localisation F1"), events),
            table(("level of whole buildings", "F1"), levels),
            f"{objects['found']} of {objects['buildings']} buildings found, "
            f"{objects['invented']} invented\n"
            f"95% interval of the score over tiles: {low:.4f} to {high:.4f}\n"
            f"expected calibration error of the levels: {values['calibration']['ece']:.4f}",
        )
    )

"""``afterscene licenses``: whose terms hold for a set."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.output import Json, Output, table


def licenses(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of a finished build.")],
    as_json: Json = False,
) -> None:
    """List the licences of a data set and what they permit together.

    Each pair carries the licence of its source image and of the model that drew it. A source
    without a stated licence permits nothing. For your own images, state the licence in the
    metadata of their labels.
    """
    from afterscene.gbd.dataset import Dataset

    terms = Dataset(dataset).terms
    rows = [(n, licence) for licence, n in terms.items.items()]
    text = f"{table(('pairs', 'licence'), rows)}\n\nAll together: {terms.licence}\n{terms.sentence}"
    Output(json=as_json).result(terms.as_json(), text)

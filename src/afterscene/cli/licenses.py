"""``afterscene licenses``: whose terms hold for a set."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.output import Json, Output, table


def licenses(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of a finished build.")],
    as_json: Json = False,
) -> None:
    """Tell the licences of a set's items and the terms that they add up to.

    An item carries the terms of its source picture and of the model that drew it; what nobody
    stated permits nothing. A source of your own states its licence in the metadata of its label.
    """
    from afterscene.gbd.dataset import Dataset

    terms = Dataset(dataset).terms
    rows = [(n, licence) for licence, n in terms.items.items()]
    text = f"{table(('pairs', 'licence'), rows)}\n\nAll together: {terms.licence}\n{terms.sentence}"
    Output(json=as_json).result(terms.as_json(), text)

"""``afterscene pack RECIPE``: all that a generator's training needs, in one small file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import OnError, OnErrorOption
from afterscene.cli.output import Json, Output, Quiet
from afterscene.cli.train import Pairs, Settings, configured, folders_of


def pack(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Recipe of a generator; see `recipes list`.")
    ],
    data: Pairs,
    out: Annotated[Path, typer.Option("--out", help="Pack file to write.")],
    budget: Annotated[
        float, typer.Option("--budget", min=1, help="Largest size of the file in MB.")
    ] = 50,
    settings: Settings = None,
    on_error: OnErrorOption = OnError.fail,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pack pairs into one file, to train on another machine.

    The pairs of xBD folders become one small file for the training of a generator;
    `train` takes it as --data. Where only torch, numpy, pillow and safetensors are installed,
    `python -m afterscene.recipes.packed FILE --out RUN` does the same.
    """
    from afterscene.errors import UnknownName
    from afterscene.generators.training import TrainConfig
    from afterscene.recipes import generator
    from afterscene.recipes.data import read_data
    from afterscene.recipes.packing import write_pack

    config, output = configured(recipe, settings), Output(json=as_json, quiet=quiet)
    if type(config) is not TrainConfig:
        raise UnknownName(f"recipe {recipe!r} trains no generator; take generator")
    found = read_data(generator, folders_of(data, skip=on_error == OnError.skip))
    for sentence in found.leaks:
        output.say(f"warning: {sentence}")
    output.left_out(found.left_out)
    made = write_pack(out, recipe, config, found, budget=budget)
    told = f"{made.train} tiles, {made.bytes / 1e6:.1f} MB, {made.psnr} dB"
    output.result({"out": str(out), **asdict(made)}, f"{out}: {told}")

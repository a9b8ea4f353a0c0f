"""``afterscene samples list|copy``: pre images with footprints that come with the package."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.output import Json, Output, table

app = typer.Typer(
    help="Samples: eight synthetic pre images with footprints, for a first try.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Names out of `samples list`; default: all."),
]


@app.command("list")
def list_samples(as_json: Json = False) -> None:
    """List the samples in the package."""
    from afterscene import samples

    entries = []
    for name in samples.names():
        scene, buildings = samples.load(name)
        height, width = scene.shape
        entries.append(
            {"name": name, "width": width, "height": height, "buildings": len(buildings)}
        )
    rows = [(e["name"], f"{e['width']} x {e['height']}", e["buildings"]) for e in entries]
    Output(json=as_json).result(entries, table(("sample", "pixels", "buildings"), rows))


@app.command("copy")
def copy_samples(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to copy to.")],
    names: Names = None,
    as_json: Json = False,
) -> None:
    """Copy samples to an xBD folder that gbd build --xbd, gbd plan --xbd and synthesize take."""
    from afterscene import samples

    images = samples.copy(out, names or ())
    text = f"{len(images)} pre images in {out / 'images'}, their footprints in {out / 'labels'}"
    Output(json=as_json).result({"out": str(out), "images": [str(p) for p in images]}, text)

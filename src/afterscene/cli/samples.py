"""``afterscene samples list|copy``: pre images with footprints that come with the package."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.output import Json, Output, table

app = typer.Typer(
    help="Eight synthetic pre images with footprints, to try things on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Names of samples (`samples list`). Default: all."),
]


@app.command("list")
def list_samples(as_json: Json = False) -> None:
    """List the samples that come with AfterScene."""
    from afterscene import samples

    entries = []
    for name in samples.names():
        scene, buildings = samples.read_sample(name)
        height, width = scene.shape
        entries.append(
            {"name": name, "width": width, "height": height, "buildings": len(buildings)}
        )
    rows = [(e["name"], f"{e['width']} x {e['height']}", e["buildings"]) for e in entries]
    Output(json=as_json).result(entries, table(("sample", "pixels", "buildings"), rows))


@app.command("copy")
def copy_samples(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Output folder.")],
    names: Names = None,
    as_json: Json = False,
) -> None:
    """Copy samples to a folder in xBD layout.

    `gbd build --xbd`, `gbd plan --xbd` and `synthesize` can read it.
    """
    from afterscene import samples

    images = samples.copy(out, names or ())
    text = f"{len(images)} pre images in {out / 'images'}, their footprints in {out / 'labels'}"
    Output(json=as_json).result({"out": str(out), "images": [str(p) for p in images]}, text)

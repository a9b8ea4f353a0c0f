"""``afterscene synthesize``: the aftermath of given pre images."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from afterscene.cli.completion import hazard_names
from afterscene.cli.film import check_film, film
from afterscene.cli.options import (
    Choose,
    MinFidelity,
    Mode,
    Model,
    ModeOption,
    OnError,
    OnErrorOption,
    Out,
    Overwrite,
    Set,
    Steps,
    drawing,
    parameters,
    whole_output,
)
from afterscene.cli.output import Json, Output, Quiet, Seed
from afterscene.cli.roles import roles_json
from afterscene.cli.summary import show
from afterscene.errors import BadParameter
from afterscene.files import write_json

if TYPE_CHECKING:
    from afterscene.gbd import Plan

PreImages = Annotated[
    list[Path], typer.Argument(metavar="PRE", help="Pre-disaster images: GeoTIFF, PNG or JPEG.")
]
LabelFiles = Annotated[
    list[Path],
    typer.Option(
        "--labels",
        metavar="FILE",
        help="Footprints: an xBD label JSON, or any footprint file if the image is georeferenced. "
        "Repeat once per PRE, in the same order, or give one folder with a {stem}.json per image.",
    ),
]
OneSeverity = Annotated[
    float, typer.Option("--severity", help="0: no event; 1: the event at full strength.")
]
HazardOrNone = Annotated[
    str | None,
    typer.Option(
        "--hazard",
        help="One of `afterscene hazards list`; not needed where --say names it.",
        autocompletion=hazard_names,
    ),
]
Say = Annotated[
    str | None,
    typer.Option(
        "--say",
        help='What happens, in an English or Chinese sentence: "the northern third is flooded, '
        'nothing else is touched".',
    ),
]
Places = Annotated[
    Path | None,
    typer.Option(
        "--places",
        metavar="FILE",
        help="GeoJSON of roads, water, land use and named places that --say names, tagged as in "
        "OpenStreetMap.",
    ),
]
Sketch = Annotated[
    Path | None,
    typer.Option(
        "--sketch",
        metavar="FILE",
        help="A map of the damage, painted over the one PRE: no damage #3b82c4, minor #fada5e, "
        "major #f38630, destroyed #c01c28, water #10247d; white or transparent: undamaged.",
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Only say what --say or --sketch is understood as, and draw a map of it; no network.",
    ),
]

Frames = Annotated[
    int | None,
    typer.Option(
        "--frames",
        help="Draw the event as it passes, in so many frames from before to after; --out is then "
        "a .gif or .mp4 file.",
    ),
]
FramesAsPairs = Annotated[
    bool,
    typer.Option(
        "--frames-as-pairs",
        help="Keep each frame of the film as a pair with its label, in {film}-frames/.",
    ),
]


def synthesize(
    pre: PreImages,
    labels: LabelFiles,
    out: Out,
    hazard: HazardOrNone = None,
    say: Say = None,
    places: Places = None,
    sketch: Sketch = None,
    explain: Explain = False,
    severity: OneSeverity = 0.7,
    frames: Frames = None,
    frames_as_pairs: FramesAsPairs = False,
    seed: Seed = 0,
    mode: ModeOption = Mode.edit,
    steps: Steps = None,
    model: Model = "default",
    min_fidelity: MinFidelity = None,
    choose: Choose = None,
    set_: Set = None,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw post-disaster images of a few images, with labels.

    Writes for each image {stem}_post_disaster.png, its label (.json) and its damage mask
    (_target.png), all marked as synthetic, and one manifest.jsonl. A GeoTIFF also yields a GeoTIFF
    on the same grid. With --frames one image becomes a film of the event. For many images use
    `gbd build`.
    """
    from afterscene import gbd
    from afterscene.geodata.roles import Taken

    output = Output(json=as_json, quiet=quiet)
    sources = gbd.match_labels(pre, labels)
    files = {source.pre.name: Taken(role="pre", why="given as PRE") for source in sources}
    roles = roles_json(files, {source.label: source.pre.name for source in sources}, given=labels)
    named = _hazard(hazard, say, explain and sketch is None)
    _check_files(places, sketch, say, sources)
    asked = {
        "severity": severity,
        "seed": seed,
        "parameters": parameters(set_),
        "told": gbd.Told(say=say or "", places=places, sketch=sketch),
    }
    plan = gbd.plan_each(sources, named, **asked)  # type: ignore[arg-type]
    if explain and (frames is not None or frames_as_pairs):
        raise BadParameter("--explain draws no film; leave --frames out, or leave --explain out")
    if explain:
        return _explain(plan, say or "", out, overwrite, output)
    if frames_as_pairs and frames is None:
        raise BadParameter("--frames-as-pairs keeps the frames of a film; give --frames as well")
    if frames is not None:
        if on_error is OnError.skip:
            raise BadParameter("a film leaves no frame out; leave --on-error skip out")
        check_film(plan, out, frames, overwrite)
        drawn = drawing(mode, steps, model, min_fidelity, choose)
        if say:
            output.say(f"understood: {_understood(say)}")
        how = {"frames": frames, "as_pairs": frames_as_pairs, "overwrite": overwrite}
        return film(plan, out, drawn, **how, output=output)  # type: ignore[arg-type]
    generator, rendering = drawing(mode, steps, model, min_fidelity, choose)
    with output.progress("synthesize", plan.count) as advance:
        options = gbd.RunOptions(on_error=on_error, overwrite=overwrite, on_progress=advance)
        report = gbd.build(plan, out, generator, rendering=rendering, options=options, flat=True)
    if say:
        output.say(f"understood: {_understood(say)}")
    show(output, report, roles)


def _hazard(hazard: str | None, say: str | None, explain: bool) -> str:
    """The hazard of the option or the sentence. Raises BadParameter: neither, or they differ."""
    if say is not None:
        from afterscene.conditioning import words

        return words.hazard_for(words.parse(say), hazard)
    if explain:
        raise BadParameter("--explain explains --say or --sketch; give one")
    if hazard is None:
        raise BadParameter("--hazard is missing; give it, or a sentence that names it with --say")
    return hazard


def _check_files(
    places: Path | None, sketch: Path | None, say: str | None, pre: Sequence[object]
) -> None:
    """Raises BadParameter: nothing names the places, or the sketch is not all that is asked."""
    if sketch is not None and say is not None:
        raise BadParameter("--sketch and --say both tell what happens; give one of them")
    if sketch is not None and len(pre) > 1:
        raise BadParameter(f"--sketch {sketch} is painted over one picture; give one PRE")
    if places is not None and say is None:
        raise BadParameter("--places holds what --say names; give a sentence")
    if places is not None:
        from afterscene.geodata.named import read_named_places

        read_named_places(places)


def _understood(say: str) -> str:
    from afterscene.conditioning import words

    return words.tell(words.parse(say), words.language_of(say))


def _explain(plan: "Plan", say: str, out: Path, overwrite: bool, output: Output) -> None:
    """The sentence or the painted map as it is understood, as text, JSON and one map a picture."""
    from afterscene.conditioning import words
    from afterscene.gbd.pair import MARK, as_rgb, asked_of, item_damage
    from afterscene.gbd.sources import read_source
    from afterscene.geodata.scene import write_scene
    from afterscene.pages.explained import explained

    levels, maps, saying = {}, [], words.Saying()
    with whole_output(out, "explain", overwrite):
        for item in plan.items:
            scene, label = read_source(item.source)
            saying = (asked_of(item, scene.shape) or (words.Saying(),))[0]
            damage = item_damage(item, as_rgb(scene), label)
            levels[item.name] = dict(Counter(b.level.word for b in damage.buildings if b.level))
            maps.append(out / f"{item.name}_explained.png")
            write_scene(explained(scene, damage), maps[-1], tags={MARK: "true"})
    told = words.tell(saying, words.language_of(say))
    value = {
        "understood": told,
        "hazard": plan.settings["hazard"],
        "saying": words.as_json(saying),
        "levels": levels,
        "maps": [str(path) for path in maps],
    }
    write_json(out / "understood.json", value)
    output.result(value, f"{told}\n{len(maps)} map{'s' * (len(maps) != 1)} in {out}")

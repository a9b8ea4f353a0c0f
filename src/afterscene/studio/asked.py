"""What a client asks for, checked before anything is done: the bodies of the HTTP interface."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from afterscene.gbd import PlanConfig

Number = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
"""The number of an upload, a scene or a job."""


class Body(BaseModel):
    """A body: its fields and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewScene(Body):
    """A scene: a sample that comes with the package, or two uploads."""

    sample: Annotated[str, Field(max_length=100)] | None = None
    image: Number | None = None
    footprints: Number | None = None


class Wish(Body):
    """What happens to a scene: a hazard with its fields, a sentence, or a painted map.

    ``parameters`` are fields of the hazard in their units, as of ``/api/hazards``; ``sketch`` is
    the number of an uploaded picture, as `synthesize --sketch` takes one.
    """

    hazard: Annotated[str, Field(max_length=100)] | None = None
    severity: Annotated[float, Field(ge=0, le=1)] = 0.7
    parameters: Annotated[dict[str, float], Field(max_length=40)] = {}
    say: Annotated[str, Field(max_length=500)] = ""
    sketch: Number | None = None
    seed: Annotated[int, Field(ge=0, lt=2**48)] = 0


class AskedAftermath(Wish):
    """A post image of a scene."""

    kind: Literal["aftermath"] = "aftermath"
    scene: Number
    mode: Literal["edit", "reacquire"] = "edit"
    steps: Annotated[int, Field(ge=1, le=50)] | None = None


class AskedAssessment(Body):
    """The damage levels of a real pair: the numbers of three uploads."""

    kind: Literal["assess"]
    pre: Number
    post: Number
    footprints: Number


class AskedBuild(Body):
    """A set of synthetic pairs, of the samples or of one scene."""

    kind: Literal["build"]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    hazards: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    count: Annotated[int, Field(ge=1, le=10_000)]
    seed: Annotated[int, Field(ge=0, lt=2**48)] = 0
    mode: Literal["edit", "reacquire"] = "edit"
    scene: Number | None = None

    def config(self) -> PlanConfig:
        """The plan's settings. Raises UnknownName, BadParameter."""
        return PlanConfig(hazards=self.hazards, count=self.count, seed=self.seed)


AskedJob = Annotated[AskedAftermath | AskedAssessment | AskedBuild, Field(discriminator="kind")]
"""What is done in line."""

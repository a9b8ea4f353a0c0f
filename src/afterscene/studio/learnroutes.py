"""The HTTP interface to the live model and to pages that were made before."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import FileResponse

from afterscene.studio import learn
from afterscene.studio.reading import POLICY, Reading


def learn_routes(reading: Reading) -> APIRouter:
    """Routes of the lessons and of the reports."""
    api = APIRouter(tags=["learn"])

    @api.get("/api/walk")
    def walk(
        noise: Annotated[float, Query(ge=0.04, le=10)] = 2.0,
        steps: Annotated[int, Query(ge=1, le=100)] = 12,
        guidance: Annotated[float, Query(ge=0, le=10)] = 1.0,
        sampler: Annotated[str, Query(max_length=40)] = "ddim",
        seed: Annotated[int, Query(ge=0, lt=2**48)] = 0,
    ) -> dict[str, Any]:
        """Ways of points from noise to data under an exact denoiser of two crescents."""
        return learn.walk(noise=noise, steps=steps, guidance=guidance, sampler=sampler, seed=seed)

    @api.get("/api/samplers")
    def samplers() -> tuple[str, ...]:
        """The samplers that the live model takes."""
        return learn.SAMPLERS

    @api.get("/api/pages")
    def pages() -> list[dict[str, Any]]:
        """Lessons and reports that the command was given."""
        return reading.listed()

    @api.get("/pages/{number}/{name:path}", response_class=FileResponse)
    def page(number: str, name: str) -> FileResponse:
        """A file of one of these."""
        path, kind = reading.find(number, name)
        return FileResponse(path, media_type=kind, headers={"content-security-policy": POLICY})

    return api

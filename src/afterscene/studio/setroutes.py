"""The HTTP interface to sets of pairs."""

from typing import Any

from fastapi import APIRouter, Response
from starlette.responses import FileResponse

from afterscene.studio.sets import SetFilter, Sets


def set_routes(sets: Sets) -> APIRouter:
    """Routes of the sets; a build is a job of the kind ``build``."""
    api = APIRouter(tags=["sets"])

    @api.get("/api/sets")
    def list_sets() -> list[dict[str, Any]]:
        """All sets: those that the command was given, and those that were built here."""
        return sets.listed()

    @api.get("/api/sets/{number}")
    def show_set(number: str) -> dict[str, Any]:
        """The number of pairs of a set, its hazards, levels and regions."""
        return sets.shown(number)

    @api.get("/api/sets/{number}/pairs")
    def pairs(
        number: str, hazard: str = "", level: str = "", region: str = "", first: int = 0
    ) -> dict[str, Any]:
        """Twelve pairs from the ``first`` on, with that hazard, level or region alone."""
        chosen = SetFilter(hazard=hazard, level=level, region=region)
        return sets.pairs(number, chosen, max(0, first))

    @api.get("/api/sets/{number}/pairs/{pair}/{when}.jpg", response_class=Response)
    def picture(number: str, pair: int, when: str, large: bool = False) -> Response:
        """The image ``pre`` or ``post`` of a pair."""
        return Response(sets.picture(number, pair, when, large), media_type="image/jpeg")

    @api.get("/api/sets/{number}/stats.html", response_class=FileResponse)
    def statistics(number: str) -> FileResponse:
        """The page that `gbd stats` writes."""
        return FileResponse(sets.statistics(number))

    return api

"""The HTTP interface: samples, hazards, uploads, scenes and jobs. ``/docs`` describes it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse

from afterscene import samples
from afterscene.errors import BadParameter
from afterscene.hazards import HAZARDS
from afterscene.pages.pictures import jpeg, marked
from afterscene.studio import results
from afterscene.studio.asked import AskedAftermath, AskedBuild, AskedJob, NewScene, Wish
from afterscene.studio.jobs import Job, Line
from afterscene.studio.scenes import SIDE, Scenes
from afterscene.studio.store import LARGEST, NotThere, Store, TooMuch

UPLOADS = "/api/uploads"
JPEG = "image/jpeg"
SMALL = 160


def things(store: Store, scenes: Scenes) -> APIRouter:
    """Routes of what a job is made of."""
    api = APIRouter(tags=["scenes"])

    @api.get("/api/samples")
    def list_samples() -> list[str]:
        """The names of the pre images that come with the package."""
        return list(samples.names())

    @api.get("/api/samples/{name}/picture.jpg", response_class=Response)
    def sample_picture(name: str) -> Response:
        """A small picture of a sample."""
        return Response(jpeg(samples.read_sample(name)[0].rgb(), SMALL), media_type=JPEG)

    @api.get("/api/hazards")
    def list_hazards() -> list[dict[str, Any]]:
        """Each hazard with its fields: unit, default, meaning, lowest and highest value."""
        return [results.hazard_json(name) for name in HAZARDS]

    @api.post("/api/scenes")
    def add_scene(asked: NewScene) -> dict[str, Any]:
        """Make a scene of a sample, or of an image and its footprints; all of it is checked."""
        given = {k: v for k, v in asked.model_dump().items() if v is not None}
        if set(given) not in ({"sample"}, {"image", "footprints"}):
            raise BadParameter("give either a sample, or an image and footprints")
        number = store.add_scene(given)
        return {"id": number, **scenes.opened(number).as_json()}

    @api.get("/api/scenes/{number}")
    def show_scene(number: str) -> dict[str, Any]:
        """Size and footprints of a scene."""
        return {"id": number, **scenes.opened(number).as_json()}

    @api.get("/api/scenes/{number}/picture.jpg", response_class=Response)
    def picture(number: str) -> Response:
        """The pre image, no side longer than 1,024 pixels."""
        return Response(scenes.picture(number), media_type=JPEG)

    @api.post("/api/scenes/{number}/levels")
    def levels(number: str, wish: Wish) -> dict[str, Any]:
        """What a hazard or a sentence would do, before anything is drawn."""
        return scenes.told(number, wish)

    return api


def uploads(store: Store) -> APIRouter:
    """The route that takes files."""
    api = APIRouter(tags=["scenes"])

    @api.post(UPLOADS)
    async def add_upload(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=200)]
    ) -> dict[str, Any]:
        """Send an image or footprints: the body is the file, ``name`` its name."""
        number, path = await run_in_threadpool(store.begin_upload, name)
        try:
            size = 0
            with path.open("wb") as file:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > LARGEST:
                        raise TooMuch(f"{name}: more than {LARGEST:,} bytes; cut it into parts")
                    await run_in_threadpool(file.write, chunk)
            return await run_in_threadpool(store.end_upload, number, path, name)
        except ClientDisconnect as error:
            store.drop_upload(number)
            raise TooMuch(f"{name}: the upload was cut off") from error
        except BaseException:
            store.drop_upload(number)
            raise

    return api


def work(store: Store, scenes: Scenes, line: Line) -> APIRouter:
    """Routes of the jobs."""
    api = APIRouter(tags=["jobs"])

    def show(job: Job) -> dict[str, Any]:
        return results.job_json(job, line)

    @api.post("/api/jobs")
    def add(asked: AskedJob) -> dict[str, Any]:
        """Put a job in line: an aftermath, the assessment of a real pair, or a set of pairs."""
        if isinstance(asked, AskedAftermath):
            scenes.damage(asked.scene, asked)  # what is wrong is said now, not in line
        elif isinstance(asked, AskedBuild):
            asked.config()
        return show(line.add(asked.model_dump(mode="json")))

    @api.get("/api/jobs/{number}")
    def show_job(number: str) -> dict[str, Any]:
        """State, place in line, progress, and what it made."""
        return show(line.find(number))

    @api.post("/api/jobs/{number}/cancel")
    def cancel(number: str) -> dict[str, Any]:
        """Stop it."""
        return show(line.cancel(number))

    @api.post("/api/jobs/{number}/resume")
    def resume(number: str) -> dict[str, Any]:
        """Let an interrupted, failed or cancelled job go on where it was."""
        return show(line.go_on(number))

    @api.get("/api/jobs/{number}/preview.jpg", response_class=Response)
    def preview(number: str) -> Response:
        """The scene as the last step left it, while the job runs."""
        now = line.now
        if now is None or now.id != line.find(number).id or now.preview is None:
            raise NotThere("there is no preview now; ask again")
        return Response(jpeg(marked(now.preview), SIDE), media_type=JPEG)

    @api.get("/api/jobs/{number}/files/{name}", response_class=FileResponse)
    def file(number: str, name: str) -> FileResponse:
        """A file that a finished job made; ``files`` of the job lists the names."""
        job = line.find(number)
        return results.file(job, line.folder(job), name)

    return api

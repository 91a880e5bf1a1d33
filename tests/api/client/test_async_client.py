"""The asyncio client does what the blocking one does: pages, retries, refusals, following."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.utils import timezone

from accounts.models import User
from labeling.models import Campaign, Pool, Rater
from preferably_client import AsyncPreferably, Judgment, Problem
from tests.api.client.test_datasets import HUB_UPLOADS, hub
from tests.api.conftest import secret_of
from tests.api.test_labeling import written
from tests.cast import some_prompts
from tests.training import cast
from tests.training.registry.hub_stub import Hub
from training.models import RunPoint
from training.registry import services as registry_services

__all__ = ["hub"]  # a fixture


class InTestsThread(httpx2.AsyncBaseTransport):
    """Calls the site in the thread of the test, whose transaction it shares. The first answers are
    lost on the way back.
    """

    def __init__(self, app: Callable[..., Any], *, n_lost: int = 0) -> None:
        self.inner, self.n_lost = httpx2.WSGITransport(app=app), n_lost

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        response = await sync_to_async(self._answer)(request, body)
        if self.n_lost:
            self.n_lost -= 1
            raise httpx2.ReadError("the connection was reset", request=request)
        return response

    def _answer(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        copy = httpx2.Request(request.method, request.url, headers=request.headers, content=body)
        response = self.inner.handle_request(copy)
        content = response.read()
        unpacked = {
            name: value for name, value in response.headers.items() if name != "content-encoding"
        }
        return httpx2.Response(response.status_code, headers=unpacked, content=content)


Connect = Callable[..., AsyncPreferably]


@pytest.fixture
def connect(bo: User, wsgi: Any) -> Connect:
    secret = secret_of(bo)

    def made(*, n_lost: int = 0, token: str = secret, **options: Any) -> AsyncPreferably:
        transport = InTestsThread(wsgi, n_lost=n_lost)
        return AsyncPreferably("http://testserver", token=token, transport=transport, **options)

    return made


def test_a_list_is_read_over_all_its_pages(connect: Connect) -> None:
    ids = {prompt.pk for prompt in some_prompts(250)}

    async def read() -> set[int]:
        async with connect() as site:
            return {prompt.id async for prompt in site.list_prompts()}

    assert async_to_sync(read)() == ids


def test_calls_run_at_the_same_time(connect: Connect) -> None:
    async def make() -> list[str]:
        async with connect() as site:
            pools = await asyncio.gather(*(site.create_pool(f"Shift {n}") for n in range(3)))
            return [pool.name for pool in pools]

    assert async_to_sync(make)() == ["Shift 0", "Shift 1", "Shift 2"]


def test_a_write_whose_answer_was_lost_is_sent_again_and_done_once(connect: Connect) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def make() -> int:
        async with connect(n_lost=2, pause=pause) as site:
            return (await site.create_pool("Night shift")).id

    assert async_to_sync(make)() == Pool.objects.get().pk
    assert pauses == [0.5, 2.0]


def test_what_the_site_refuses_is_raised_in_its_words(connect: Connect) -> None:
    async def read() -> None:
        async with connect(token="pfb_none") as site:
            await site.read_pool(1)

    with pytest.raises(Problem, match="Unknown token") as refused:
        async_to_sync(read)()

    assert (refused.value.status, refused.value.title) == (401, "Unauthorized")


def test_the_judgments_of_a_campaign_are_read_from_the_campaign(
    connect: Connect, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa, "It scatters.")

    async def read() -> list[Judgment]:
        async with connect() as site:
            campaign = await site.campaigns.get(demonstration_campaign.pk)
            return await campaign.judgments().to_list()

    (judgment,) = async_to_sync(read)()
    assert judgment.demonstration.text == "It scatters."


def test_a_run_is_followed_to_its_end(connect: Connect, bo: User) -> None:
    run = cast.a_run(bo, state="running", n_points=2)

    @sync_to_async
    def meanwhile() -> None:
        RunPoint.objects.create(run=run, attempt=1, step=3, at=timezone.now(), values={})
        cast.finished(run, "succeeded")

    async def pause(_seconds: float) -> None:
        await meanwhile()

    async def follow() -> list[int]:
        async with connect(pause=pause) as site:
            return [point.step async for point in site.follow_run(run.pk)]

    assert async_to_sync(follow)() == [1, 2, 3]


def test_a_models_archive_is_written_to_a_file(connect: Connect, bo: User, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    model = registry_services.register_model(
        name="here", kind="policy", location=str(tmp_path), licence="", by=bo, now=timezone.now()
    )

    async def export() -> int:
        async with connect() as site:
            return await site.export_model(model.pk, tmp_path / "here.tar")

    assert async_to_sync(export)() == (tmp_path / "here.tar").stat().st_size > 0


@pytest.mark.filterwarnings(HUB_UPLOADS)
def test_judgments_are_pushed_to_a_hub(
    connect: Connect, demonstration_campaign: Campaign, rosa: Rater, hub: Hub
) -> None:
    written(demonstration_campaign, rosa, "It scatters.")

    @async_to_sync
    async def push() -> None:
        async with connect() as site:
            await site.list_judgments().push_to_hub("team/judgments", private=False, token="hf_x")

    push()

    assert hub.made[0]["visibility"] == "public"
    assert [name for name in hub.files if name.endswith(".parquet")]

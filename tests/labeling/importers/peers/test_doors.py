"""Every sample through the page and through the API: both store what its reader makes of it."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from accounts.models import User
from labeling.data.imports import services as imports_services
from labeling.models import Comparison, Demonstration, Import, Judgment, Prompt, Response
from tests.api.conftest import client_with, secret_of
from tests.cast import NOON
from tests.labeling.importers.peers.reading import read_answers, read_file
from tests.labeling.importers.peers.samples import PEERS, Peer

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
every_peer = pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
SignedIn = Callable[[User], Client]
ABOUT = {"licence": "CC0-1.0"}
PAGES = {"file": "/prompts/imports/new/", "answers": "/campaigns/import/"}


@pytest.fixture
def calling() -> Callable[[User], Client]:
    cache.clear()  # calls are counted there
    return lambda person: client_with(secret_of(person))


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOADS_DIR = tmp_path
    return tmp_path


def by_page(client: Client, peer: Peer, door: str) -> int:
    """Preview, then start as somebody does who changes nothing, and says so where columns may say
    that answers are bad. The last answer's status.
    """
    form = ABOUT | {"source_name": "peer", "campaign": "Answers", "with_judgments": "on"}
    file = SimpleUploadedFile("peer", peer.content)
    shown = client.post(PAGES[door], form | {"file": file, "preview": "1"})
    token = re.search(r'name="upload" value="([^"]+)"', shown.content.decode())
    assert token
    asks = 'name="stores_responses"' in shown.content.decode()
    form |= {"stores_responses": "on"} if asks else {}
    return client.post(PAGES[door], form | {"upload": token[1], "start": "1"}).status_code


def by_api(client: Client, peer: Peer, door: str) -> int:
    fields = ABOUT | {"source": "peer", "file": SimpleUploadedFile("peer", peer.content)}
    fields |= {"with_judgments": "true"} if door == "file" else {"campaign": "Answers"}
    answer = client.post("/api/v1/imports", fields)
    if b"Say what the columns named here mean" in answer.content:
        fields |= {"stores_responses": "true", "file": SimpleUploadedFile("peer", peer.content)}
        answer = client.post("/api/v1/imports", fields)
    return answer.status_code


def stored() -> dict[str, object]:
    """What the import that was started brings, with its report."""
    for batch in Import.objects.all():
        imports_services.IMPORTS.run(batch.pk, clock=lambda: NOON)
    orders = [
        (
            comparison.strength,
            comparison.is_all_bad,
            frozenset(comparison.ranked.values_list("response__text", "rank")),
        )
        for comparison in Comparison.objects.all()
    ]
    return {
        "prompts": {prompt.messages[-1]["content"] for prompt in Prompt.objects.all()},
        "responses": set(Response.objects.values_list("text", flat=True)),
        "demonstrations": set(Demonstration.objects.values_list("text", flat=True)),
        "comparisons": Counter(orders),
        "report": [batch.problems for batch in Import.objects.all()],
        "states": [(batch.state, batch.error) for batch in Import.objects.all()],
    }


@every_peer
def test_the_page_and_the_api_store_the_same(
    peer: Peer, alice: User, signed_in: SignedIn, calling: SignedIn
) -> None:
    outcomes = []
    for send, client in ((by_page, signed_in(alice)), (by_api, calling(alice))):
        with transaction.atomic():
            send(client, peer, "file")
            outcomes.append(stored())
            transaction.set_rollback(True)

    drafts, problems = read_file(peer.content)
    assert outcomes[0] == outcomes[1]
    if outcomes[0]["states"] == [(Import.State.PUBLISHED, "")]:
        replies = [reply for draft in drafts for reply in draft.replies]
        assert outcomes[0]["prompts"] == {draft.messages[-1]["content"] for draft in drafts}
        assert outcomes[0]["responses"] == {reply.text for reply in replies}
        assert outcomes[0]["demonstrations"] == {r.text for r in replies if r.is_human}
    else:
        assert problems


@every_peer
def test_the_page_and_the_api_ask_the_same_before_answers_become_a_campaign(
    peer: Peer, alice: User, signed_in: SignedIn, calling: SignedIn
) -> None:
    outcomes = []
    for send, client in ((by_page, signed_in(alice)), (by_api, calling(alice))):
        with transaction.atomic():
            status = send(client, peer, "answers")
            n_judgments = (stored(), Judgment.of_people.count())[1]
            outcomes.append((status in (302, 202), n_judgments))
            transaction.set_rollback(True)

    drafts, problems = read_answers(peer.content)
    answered = sum(draft.is_answered for draft in drafts)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] == answered
    assert outcomes[0][0] or problems

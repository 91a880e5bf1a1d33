"""Nothing that reaches a rater reveals which model wrote a response."""

import json

from django.db import connection

from labeling.models import Guideline, Pool, Rater, Response, Source
from tests.cast import open_comparison_campaign
from tests.labeling.desk.posting import SignedIn, comparison, slot_of, start


def test_no_page_of_the_desk_shows_who_wrote_a_response(
    rosa: Rater, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    """Ids start at a number that appears nowhere else, and every answer the browser gets is
    searched for it.
    """
    with connection.cursor() as cursor:
        for table in ("response", "item", "itemresponse", "slot", "prompt", "source"):
            cursor.execute(f"ALTER SEQUENCE labeling_{table}_id_seq RESTART WITH 7654321")
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline)
    Source.objects.filter(kind="model").update(name="Zebra-9B")
    Response.objects.update(text="An answer like any other.")
    client = signed_in(rosa)
    address = start(client, campaign)
    seed = str(slot_of(rosa).seed)
    draft = json.dumps({"revision": 1, "fields": {"rank-A": ["1"]}})

    answers = [
        client.post(address + "draft", draft, content_type="application/json"),
        client.post(address + "heartbeat"),
        client.get(address),
        client.get(address + "guideline"),
        client.get(address + "diff?of=A&to=B"),
        client.post(address + "submit", comparison(step="review")),
        client.post(address + "submit", comparison(), headers={"X-Desk": "fragment"}),
        client.get("/my-work/"),
    ]

    for answer in answers:
        assert answer.status_code == 200
        sent = answer.content.decode() + str(answer.headers)
        assert "Zebra" not in sent
        assert "the cast" not in sent
        assert "76543" not in sent
        assert seed not in sent

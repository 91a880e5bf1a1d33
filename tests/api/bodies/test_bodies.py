"""Bodies that are too large or too deep."""

from accounts.models import User
from labeling.models import Export
from tests.api.conftest import Caller


def test_a_body_beyond_the_limit_is_refused_unread(calling: Caller, alice: User) -> None:
    body = b'{"text": "' + b"x" * 33 * 1024**2 + b'"}'

    answer = calling(alice).post("/api/v1/prompts", body, content_type="application/json")

    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        "The body is larger than 32 MB. Send fewer rows at once.",
    )


def test_a_body_that_is_nested_without_end_gets_a_sentence(calling: Caller, alice: User) -> None:
    body = "[" * 100_000 + "]" * 100_000

    answer = calling(alice).post("/api/v1/prompts", body, content_type="application/json")

    assert (answer.status_code, answer.json()["detail"]) == (400, "The JSON is nested too deeply.")


def test_a_field_that_an_endpoint_does_not_have_is_refused(calling: Caller, alice: User) -> None:
    """Left out, `campaigns` would export the judgments of every campaign."""
    body = {"shape": "rankings", "campaigns": [1]}

    answer = calling(alice).post("/api/v1/exports", body, content_type="application/json")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["campaigns"]
    assert "There are: campaign, shape, style," in answer.json()["errors"]["campaigns"][0]
    assert not Export.objects.exists()


def test_a_field_that_a_row_of_a_body_does_not_have_is_refused(
    calling: Caller, alice: User
) -> None:
    body = {"name": "Talk", "conversation": {"models": [{"source": 1}, {"sauce": 2}], "turn": 1}}

    answer = calling(alice).post("/api/v1/campaigns", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"].keys() >= {"conversation.turn", "conversation.models.1.sauce"}


def test_a_query_parameter_that_a_list_does_not_have_is_refused(
    calling: Caller, alice: User
) -> None:
    answer = calling(alice).get("/api/v1/exports?campaing=3")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["campaing"]

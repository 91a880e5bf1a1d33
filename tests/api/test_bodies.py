"""Bodies that are too large or too deep."""

from accounts.models import User
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

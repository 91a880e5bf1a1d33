"""Log lines: what each request and task leaves behind, and that no secret is in it."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.utils import OperationalError
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from accounts.login import tokens
from accounts.models import User
from config import broker
from config.api_permissions import Scope
from config.celery import app
from config.monitoring import context, logs
from labeling.models import Campaign

SignIn = Callable[..., Client]
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
from config.celery import app
app.log.setup(loglevel="INFO")  # as each command of Celery does
import logging
logging.getLogger("celery.app").warning("Nothing to do.")
"""


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the root logger writes as JSON."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def read(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def access(stream: StringIO) -> dict[str, Any]:
    """The last line of the access log."""
    return [line for line in read(stream) if line["logger"] == "access"][-1]


@pytest.mark.django_db
def test_a_request_leaves_a_line_with_its_id_and_the_persons_pseudonym(
    signed_in: SignIn, alice: User, lines: StringIO
) -> None:
    answer = signed_in(alice).get("/webhooks/?q=private+words")

    line = access(lines)
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["person"] == context.pseudonym(alice.pk)
    assert (line["route"], line["method"], line["status"]) == ("webhooks", "GET", 200)
    assert line["duration_ms"] > 0
    assert "alice" not in lines.getvalue().lower()
    assert "private" not in lines.getvalue()


@pytest.mark.django_db
def test_two_people_have_two_pseudonyms_and_no_id_is_in_them(alice: User, noor: User) -> None:
    assert context.pseudonym(alice.pk) != context.pseudonym(noor.pk)
    assert len(context.pseudonym(alice.pk)) == 12


@pytest.mark.django_db
def test_the_secret_of_a_link_is_in_no_line(client: Client, lines: StringIO) -> None:
    client.get("/join/a-secret-token/")
    client.get("/join/a-secret-token")
    client.get("/account/password/reset/key/1-another-secret/")

    assert [line["route"] for line in read(lines) if line["logger"] == "access"] == [
        "join",
        "unknown",
        "account_reset_password_from_key",
    ]
    assert "secret" not in lines.getvalue()


NOT_SECRET = {
    *("crowd_prolific_act", "step_new", "queue", "help", "campaign_bias_judgments"),
    *("campaign_rater_judgments", "run_new", "run_cost", "curation_recipe", "schedule_new"),
    *("curation_recipe_undo", "openid_connect_login", "tour_end"),
}
"""Pages whose address has a word that says what they show, and opens nothing."""


def addresses(resolver: Any = None, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Name and address of every URL, with a secret for each part that is not a number."""
    for pattern in (resolver or get_resolver()).url_patterns:
        part = str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, prefix + part)
            continue
        path = re.sub(r"<int:\w+>", "1", prefix + part)
        path = re.sub(r"<uuid:\w+>", "7e57ed5e-c4e7-4e57-8ec4-7e57ed5ec4e7", path)
        path = re.sub(r"<(?:\w+:)?\w+>", "TEST-SECRET", re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", path))
        yield pattern.name or "", path


WITH_SECRETS = [
    path for name, path in addresses() if re.search("SECRET|7e57", path) and name not in NOT_SECRET
]


@pytest.mark.django_db
@pytest.mark.parametrize("make", [logs.JsonFormatter, logs.TextFormatter])
def test_no_secret_of_a_path_is_logged_when_the_site_fails(
    make: Callable[[], logging.Formatter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every URL with a secret in its path, while the database is away: Django logs the path of a
    request that failed, and a web server its whole address.
    """

    def away(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    visitor = Client(raise_request_exception=False)
    visitor.cookies["sessionid"] = "x" * 32
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(make())
    logging.getLogger().addHandler(handler)

    try:
        statuses = {path: visitor.get(path).status_code for path in WITH_SECRETS}
        for path in WITH_SECRETS:
            logging.getLogger("gunicorn.error").error("Error handling request %s?q=SECRET", path)
    finally:
        logging.getLogger().removeHandler(handler)

    assert len(WITH_SECRETS) > 20
    assert {path for path, status in statuses.items() if status != 500} == set()
    assert "Internal Server Error: /join/…" in stream.getvalue()
    assert "Error handling request /crowd/…" in stream.getvalue()
    assert "SECRET" not in stream.getvalue()
    assert "7e57" not in stream.getvalue()


def test_the_files_of_a_traceback_stay_readable() -> None:
    line = 'File "/srv/labeling/people/crowd/services.py", line 3 from https://a.org/crowd/token/'

    assert logs.without_secret_paths(line) == line.replace("token/", "…")


@pytest.mark.django_db
def test_an_id_of_an_object_is_in_the_line(
    signed_in: SignIn, alice: User, comparison_campaign: Campaign, lines: StringIO
) -> None:
    signed_in(alice).get(f"/campaigns/{comparison_campaign.pk}/")

    assert access(lines)["ids"] == {"pk": comparison_campaign.pk}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "is_taken"), [("4f1c-from-the-proxy", True), ("short", False), ("a b\nc" * 4, False)]
)
def test_the_id_that_a_proxy_gives_is_used_if_it_is_one(
    client: Client, given: str, is_taken: bool
) -> None:
    answer = client.get("/account/login/", headers={"X-Request-ID": given})

    assert (answer.headers["X-Request-ID"] == given) == is_taken


@pytest.mark.django_db
def test_an_api_call_has_the_pseudonym_of_the_tokens_person(
    client: Client, alice: User, lines: StringIO
) -> None:
    _token, secret = tokens.create_token(
        user=alice, name="script", scopes=[Scope.LABELING_READ], n_days=1, now=timezone.now()
    )

    client.get("/api/v1/pools", headers={"Authorization": f"Bearer {secret}"})

    assert access(lines)["person"] == context.pseudonym(alice.pk)


@pytest.mark.django_db
def test_probes_leave_no_line(client: Client, lines: StringIO) -> None:
    client.get("/livez")

    assert read(lines) == []


def test_an_exception_is_one_line_of_json(lines: StringIO) -> None:
    try:
        raise ValueError("of\ntwo lines")
    except ValueError:
        logging.getLogger("some.module").exception("It failed.")

    (line,) = read(lines)
    assert (line["level"], line["message"]) == ("ERROR", "It failed.")
    assert line["exception"].endswith("ValueError: of\ntwo lines")


def test_a_line_of_text_ends_with_what_it_is_about() -> None:
    formatter = logs.TextFormatter("{levelname} {message}", style="{")
    record = logging.makeLogRecord({"levelname": "INFO", "msg": "Sent."})

    plain = formatter.format(record)
    with context.working_on(context.Work(request_id="abcd", person="feed")):
        named = formatter.format(record)

    assert plain == "INFO Sent."
    assert named == "INFO Sent. [request_id=abcd person=feed]"


@pytest.mark.django_db
def test_a_pseudonym_leads_an_operator_to_the_person(
    alice: User, noor: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("find_person", context.pseudonym(noor.pk))

    assert capsys.readouterr().out == "Noor, noor@example.org\n"
    with pytest.raises(CommandError, match="Nobody has the pseudonym 0123456789ab"):
        call_command("find_person", "0123456789ab")


# --- workers --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("empty_queue")
def test_a_task_is_sent_with_the_request_and_the_person() -> None:
    with context.working_on(context.Work(request_id="abcd1234", person="feed")):
        broker.send("labeling.data.imports.tasks.run_import", import_id=7)

    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("short").get(timeout=60)
        message.ack()
    assert (message.headers["request_id"], message.headers["person"]) == ("abcd1234", "feed")


@pytest.fixture
def logging_task() -> Iterator[Any]:
    @app.task(name="tests.config.log")  # type: ignore[untyped-decorator]
    def log() -> None:
        logging.getLogger("some.task").info("At work.")

    yield log
    app.tasks.pop("tests.config.log")


def test_a_tasks_lines_name_it_and_the_request_that_sent_it(
    lines: StringIO, logging_task: Any
) -> None:
    logging_task.apply(headers={"request_id": "abcd1234", "person": "feed"}, task_id="t-1")

    line = next(line for line in read(lines) if line["logger"] == "some.task")
    assert (line["request_id"], line["person"]) == ("abcd1234", "feed")
    assert (line["task"], line["task_id"]) == ("tests.config.log", "t-1")
    assert context.current() == context.Work()


@pytest.mark.slow  # a worker as it is started in production
def test_a_worker_writes_json_when_the_site_does() -> None:
    started = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env=os.environ | {"PREFERABLY_LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
    )

    lines = [json.loads(line) for line in started.stderr.splitlines()]
    (warned,) = [line for line in lines if line["logger"] == "celery.app"]
    assert (warned["level"], warned["message"]) == ("WARNING", "Nothing to do.")

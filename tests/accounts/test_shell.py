"""The frame of every page: the rail, the Content-Security-Policy, the error pages, and colours with
enough contrast.
"""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from lxml.html import document_fromstring
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.shell import failures, navigation
from labeling.models import Rater
from tests.html import page_of

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SignedIn = Callable[..., Client]


def rail(client: Client) -> list[str]:
    return re.findall(r'class="rail-word">([^<]+)<', client.get("/profile/").text)


def test_the_rail_shows_raters_their_work_and_nothing_else(
    rosa: Rater, signed_in: SignedIn
) -> None:
    assert rail(signed_in(rosa)) == ["Desk", "My work", "My pay", "Guidelines"]


def test_the_rail_shows_admins_what_they_collect(alice: User, signed_in: SignedIn) -> None:
    assert rail(signed_in(alice)) == [
        "Campaigns",
        "Raters",
        "Guidelines",
        "Prompts",
        "Queues",
        "Settings",
    ]


def test_the_rail_shows_researchers_what_they_train(noor: User, signed_in: SignedIn) -> None:
    assert rail(signed_in(noor)) == [
        "Lines",
        "Runs",
        "Models",
        "Snapshots",
        "Machines",
    ]


@pytest.mark.parametrize(
    ("path", "pages", "section"),
    [
        ("/quality/", {"/campaigns/": "Campaigns", "/quality/": "Quality"}, "/campaigns/"),
        (
            "/audit/",
            {"/operations/": "Operations", "/audit/": "Audit log", "/webhooks/": "Webhooks"},
            "/operations/",
        ),
        ("/suites/", {"/models/": "Models", "/suites/": "Suites"}, "/models/"),
        ("/schedules/", {"/lines/": "Lines", "/schedules/": "Schedules"}, "/lines/"),
        ("/storage/", {"/nodes/": "Nodes", "/storage/": "Storage"}, "/nodes/"),
    ],
)
def test_each_page_of_a_section_leads_to_the_others(
    path: str, pages: dict[str, str], section: str, alice: User, signed_in: SignedIn
) -> None:
    User.objects.update(is_researcher=True)

    page = document_fromstring(signed_in(alice).get(path).text)

    links = page.xpath("//nav[@class='section-pages']/a")
    assert {link.get("href"): link.text for link in links} == pages
    assert [link.get("href") for link in links if link.get("aria-current")] == [path]
    (place,) = page.xpath("//nav[contains(@class, 'rail')]//a[@aria-current]")
    assert place.get("href") == section


@pytest.mark.parametrize("path", ["/profile/", "/people/", "/campaigns/new/"])
def test_other_pages_list_no_section(path: str, alice: User, signed_in: SignedIn) -> None:
    assert "section-pages" not in signed_in(alice).get(path).text


def test_a_section_leads_to_the_first_page_that_somebody_may_open() -> None:
    (group,) = navigation.groups_for(current="audit", may_open=frozenset({"audit", "webhooks"}))

    (link,) = group.links
    assert (link.url, [part.url for part in link.parts]) == ("/audit/", ["/audit/", "/webhooks/"])


def test_the_rail_says_where_one_is(alice: User, signed_in: SignedIn) -> None:
    page = page_of(signed_in(alice).get("/people/new/"))

    assert re.search(r'href="/people/" aria-current="true"', page)


def test_importing_answers_is_part_of_campaigns(alice: User, signed_in: SignedIn) -> None:
    page = page_of(signed_in(alice).get("/campaigns/import/"))

    assert re.search(r'href="/campaigns/" aria-current="true"', page)


def test_the_shell_asks_the_database_only_who_is_there(
    alice: User, signed_in: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)

    with django_assert_num_queries(
        4
    ):  # the session, its person, the unread notices, the tokens that this page lists
        client.get("/profile/")


def test_a_closed_page_says_so_in_the_shell(rosa: Rater, signed_in: SignedIn) -> None:
    response = signed_in(rosa).get("/people/")

    assert response.status_code == 403
    assert "You don't have access to this page" in response.text
    assert "My work" in response.text


def test_an_address_with_nothing_behind_it_says_so_to_everybody(
    client: Client, alice: User, signed_in: SignedIn
) -> None:
    pages = [client.get("/nothing/here/"), signed_in(alice).get("/nothing/here/")]

    assert all("There is no page at this address" in page.text for page in pages)


def test_the_page_for_our_own_failures_needs_nothing_that_may_have_failed(
    rf: RequestFactory,
) -> None:
    response = failures.server_error(rf.get("/"))

    assert response.status_code == 500
    assert b"Something went wrong" in response.content
    assert b"<code>" not in response.content


def test_the_page_for_our_own_failures_names_the_request_as_the_log_does(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_webhook RENAME TO gone")

    response = client.get("/webhooks/")

    assert response.status_code == 500
    assert f"<code>{response.headers['X-Request-ID']}</code>" in response.text


def test_a_fragment_whose_session_ended_sends_the_whole_page_to_the_login(
    client: Client, db: None
) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/people/?q=x"}
    response = client.get("/people/", headers=headers)

    assert response.headers["HX-Redirect"] == "/account/login/?next=/people/%3Fq%3Dx"


@pytest.mark.parametrize(
    ("page", "after"),
    [
        ("http://testserver/people/new/?pool=1#id_name", "/people/new/%3Fpool%3D1"),
        ("https://evil.example/people/", "/"),
        ("", "/"),
    ],
)
def test_a_form_whose_session_ended_leads_back_to_its_page(
    client: Client, db: None, page: str, after: str
) -> None:
    response = client.post("/profile/tokens/new", {"token-name": "x"}, headers={"Referer": page})

    assert response.headers["Location"] == f"/account/login/?next={after}"


# The policy for scripts and styles


def test_the_policy_lets_in_our_own_files_and_the_nonce_of_the_page(
    client: Client, db: None
) -> None:
    response = client.get("/account/login/")
    policy = response.headers["Content-Security-Policy"]
    nonce = re.search(r'<script type="importmap" nonce="([^"]+)"', response.text).group(1)

    assert f"'nonce-{nonce}'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_the_import_map_has_every_module(client: Client, db: None) -> None:
    page = client.get("/account/login/").text
    [mapped] = re.findall(r'<script type="importmap"[^>]*>(.*?)</script>', page)
    imports = json.loads(mapped)["imports"]

    assert imports["js/site/menu"] == "/static/js/site/menu.js"
    assert set(imports) == {
        path.relative_to(ROOT / "static").with_suffix("").as_posix()
        for path in (ROOT / "static/js").rglob("*.js")
    }


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix()
)
def test_no_template_carries_a_style_or_a_script_inside(path: Path) -> None:
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)

    assert not re.search(
        r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*\bsrc=)", text
    )
    assert not re.search(
        r'(?:src|href|action)="(?:https?:)?//', text.replace('href="https://example.org', "")
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates/components").glob("_*.html")), ids=lambda path: path.name
)
def test_every_component_lists_its_inputs_in_its_head(path: Path) -> None:
    head = path.read_text().split("{% endcomment %}")[0]

    assert head.startswith("{% comment %}")
    assert "Inputs" in head


def test_a_heading_holds_a_name_and_no_state() -> None:
    heads = re.compile(r"<h[1-6].*?</h[1-6]>", re.DOTALL)

    with_state = {
        path.relative_to(ROOT / "templates").as_posix()
        for path in TEMPLATES
        for head in heads.findall(path.read_text())
        if re.search(r"badge|_state", head)
    }

    assert with_state == set()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "static/css").glob("*.css")), ids=lambda path: path.name
)
def test_only_the_tokens_name_a_colour(path: Path) -> None:
    named = re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb\(|hsl\(", path.read_text())

    assert path.name == "tokens.css" or not named


# Components


def test_the_head_of_a_page_has_its_badge_beside_the_name() -> None:
    template = Template('{% component "page_header" title=title badge="open" %}{% endcomponent %}')

    html = template.render(Context({"title": "Comparing"}))

    assert "<h1>Comparing</h1>" in html
    assert "Open" in html.partition("</h1>")[2]


def test_a_component_sees_its_inputs_and_nothing_else_of_the_page() -> None:
    template = Template('{% component "card" note="12" %}{{ title }}{% endcomponent %}')

    html = template.render(Context({"title": "of the page"}))

    assert "<h2" not in html
    assert "of the page" in html


def test_a_field_ties_its_help_and_its_error_to_its_control(
    alice: User, signed_in: SignedIn
) -> None:
    page = signed_in(alice).post("/people/new/", {"email": "nonsense"}).text

    assert re.search(r'name="email"[^>]*aria-describedby="id_email_helptext id_email_error"', page)
    assert 'id="id_email_helptext"' in page
    assert 'id="id_email_error"' in page


def test_a_sortable_head_turns_round_and_keeps_the_rest_of_the_address(rf: RequestFactory) -> None:
    request = rf.get("/?q=x&sort=name&page=3")
    html = Template('{% sortable "name" "Name" %}').render(Context({"request": request}))

    assert 'aria-sort="ascending"' in html
    assert 'href="?q=x&amp;sort=-name"' in html


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (41, "41 s"),
        (100, "1 min 40 s"),
        (6000, "1 h 40 min"),
        (7200, "2 h"),
        (90_000, "1 d 1 h"),
        (None, "–"),
    ],
)
def test_a_duration_takes_two_units_at_most(seconds: int | None, words: str) -> None:
    assert Template("{{ seconds|duration }}").render(Context({"seconds": seconds})) == words


# Colours that can be read: the pairs that text and controls come in

TEXT_PAIRS = [
    (ink, ground)
    for ink in (
        "--grey-9",
        "--grey-8",
        "--grey-7",
        "--accent-text",
        "--danger",
        "--warning",
        "--good",
        "--info",
    )
    for ground in ("--grey-1", "--grey-2", "--grey-3")
] + [
    ("--on-accent", "--accent"),
    ("--on-danger", "--danger-fill"),
    ("--accent-text", "--accent-soft"),
    ("--good", "--good-soft"),
    ("--warning", "--warning-soft"),
    ("--danger", "--danger-soft"),
    ("--info", "--info-soft"),
    *((f"--series-{number}", "--grey-1") for number in range(1, 9)),
]
CONTROL_PAIRS = [
    (ink, ground) for ink in ("--grey-6", "--accent") for ground in ("--grey-1", "--grey-2")
]


def tokens() -> dict[str, tuple[str, str]]:
    text = (ROOT / "static/css/tokens.css").read_text().split("@media")[0]
    return {
        name: (light, dark)
        for name, light, dark in re.findall(r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    }


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_has_a_contrast_of_four_and_a_half(ink: str, ground: str, theme: int) -> None:
    assert contrast(tokens()[ink][theme], tokens()[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), CONTROL_PAIRS)
def test_lines_of_controls_have_a_contrast_of_three(ink: str, ground: str, theme: int) -> None:
    assert contrast(tokens()[ink][theme], tokens()[ground][theme]) >= 3


@pytest.mark.django_db
def test_a_large_upload_by_nobody_is_refused_before_it_is_stored(client: Client) -> None:
    class Unread(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("The body was read.")

    unread: dict[str, Any] = {
        "wsgi.input": Unread(),
        "CONTENT_LENGTH": str(600 * 1024**2),
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
    }
    refused = client.generic(
        "POST",
        "/account/login/",
        **unread,
    )

    assert refused.status_code == 413
    assert "too large" in refused.text


def test_only_admins_upload_large_files(
    rosa: Rater, noor: User, alice: User, signed_in: SignedIn
) -> None:
    answers = {}
    for person in (rosa, noor, alice):
        file = SimpleUploadedFile("a.jsonl", bytes(33 * 1024**2))
        answers[person] = signed_in(person).post("/prompts/imports/new/", {"file": file})

    assert [answer.status_code for answer in answers.values()] == [413, 413, 422]


def test_an_ordinary_form_needs_no_session_to_be_read(client: Client) -> None:
    assert client.post("/account/login/", {"login": "x" * 500_000}).status_code == 200


@pytest.mark.parametrize("path", ["/profile/", "/people/", "/webhooks/", "/audit/", "/nowhere/"])
def test_what_a_signed_in_person_sees_is_stored_nowhere(
    alice: User, signed_in: SignedIn, path: str
) -> None:
    response = signed_in(alice).get(path)

    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/account/login/", "/nowhere/"])
def test_every_page_gives_up_camera_and_microphone(client: Client, db: None, path: str) -> None:
    policy = client.get(path).headers["Permissions-Policy"]

    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(policy.split(", "))

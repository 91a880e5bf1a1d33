"""A provider that lies, or whose people do: nobody comes in by an address that only looks like
another's, or by a mark that belongs to another address.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.login import password_links, tokens
from accounts.models import AuditEvent, User
from accounts.people import services as people_services
from config.api_permissions import Scope
from config.third_party import single_sign_on
from labeling.people.accounts import services as accounts_services
from labeling.people.single_sign_on.adapter import Adapter
from tests.accounts.sent_tasks import letters
from tests.cast import NOON, PASSWORD

pytestmark = pytest.mark.usefixtures("empty_queue")

Claims = Mapping[str, Any]
VERIFIED = {"email_verified": True}
LOOKS_LIKE = [
    ("mike@x.example", "mi\u212ae@x.example"),  # the Kelvin sign, which is k in lower case
    ("res@x.example", "re\u017f@x.example"),  # a long s, which is S in upper case
    ("fil@x.example", "\ufb01l@x.example"),  # a ligature
    ("ana@x.example", "\uff41na@x.example"),  # full width
    ("ana@x.example", "an\u00aa@x.example"),  # an ordinal
    ("ana@x.example", "ana@\uff58.example"),
    ("iris@x.example", "\u0130ris@x.example"),  # I with a dot
    ("iris@x.example", "\u0131ris@x.example"),  # i without one
    ("ana@x.example", "an\u0430@x.example"),  # Cyrillic
    ("ana@x.example", "ana@x.example\u200b"),
]


@pytest.fixture(autouse=True)
def _company(settings: LazySettings, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    cache.clear()
    configure(settings, monkeypatch)


def configure(settings: LazySettings, monkeypatch: pytest.MonkeyPatch, **fields: str) -> None:
    known = {"URL": "http://127.0.0.1:1", "CLIENT_ID": "site", "CLIENT_SECRET": "s"}
    for name, value in (known | fields).items():
        monkeypatch.setenv(f"PREFERABLY_OIDC_COMPANY_{name}", value)
    settings.OIDC_PROVIDERS = single_sign_on.from_environment(needs_https=False)


def arriving(*, id_token: Any = None, userinfo: Any = None, subject: str = "s-1") -> User | None:
    """As whom somebody comes in of whom the provider says this; None if they do not."""
    told = {"id_token": id_token, "userinfo": userinfo}
    login = SocialLogin(
        account=SocialAccount(provider="company", uid=subject, extra_data=told), user=User()
    )
    login.state = {"process": "login"}
    request = RequestFactory().get("/")
    try:
        Adapter().pre_social_login(request, login)
    except ImmediateHttpResponse:
        return None
    arrived: User | None = login.user
    return arrived


def person(email: str, **fields: Any) -> User:
    return accounts_services.create_person(
        email=email, name="P", roles=["researcher"], by=None, now=NOON, **fields
    )


@pytest.mark.parametrize(("theirs", "written"), LOOKS_LIKE)
def test_an_address_that_looks_like_anothers_opens_nothing(theirs: str, written: str) -> None:
    victim = person(theirs)

    assert arriving(userinfo={"sub": "s-1", "email": written} | VERIFIED) != victim
    assert not SocialAccount.objects.filter(user=victim).exists()


@pytest.mark.parametrize("written", ["ANA@X.EXAMPLE", " ana@x.example ", "Ana@x.example"])
def test_the_same_address_in_other_case_is_the_same(written: str) -> None:
    ana = person("ana@x.example")

    assert arriving(userinfo={"sub": "s-1", "email": written} | VERIFIED) == ana


@pytest.mark.parametrize(("theirs", "written"), LOOKS_LIKE)
def test_what_looks_like_an_address_has_no_account_of_its_own(theirs: str, written: str) -> None:
    """NFKC makes one of both, where Unicode says that they are the same."""
    person(theirs)
    before = set(User.objects.values_list("email", flat=True))

    try:
        person(written)
    except people_services.UnableToCreatePerson:
        assert set(User.objects.values_list("email", flat=True)) == before
    else:
        assert User.objects.filter(email=theirs).count() == 1


@pytest.mark.parametrize(
    ("userinfo", "id_token"),
    [
        ({"email": "ana@x.example"}, {"email": "other@x.example", "email_verified": True}),
        ({"email": "ana@x.example"}, {"email_verified": True}),
        ({"email_verified": True}, {"email": "ana@x.example"}),
        ({"email": "ana@x.example", "email_verified": False}, {"email_verified": True}),
        ({"email": "ana@x.example", "email_verified": 1}, {}),
        ({"email": "ana@x.example", "email_verified": "True"}, {}),
        ({"email": ["ana@x.example"], "email_verified": True}, {}),
        ({"email": "ana@x.example", "email_verified": [True]}, {}),
    ],
)
def test_an_address_needs_its_own_mark(userinfo: Claims, id_token: Claims) -> None:
    ana = person("ana@x.example")

    arrived = arriving(userinfo={"sub": "s-1", **userinfo}, id_token={"sub": "s-1", **id_token})

    assert arrived != ana


@pytest.mark.parametrize("source", ["userinfo", "id_token"])
def test_either_source_is_enough(source: str) -> None:
    ana = person("ana@x.example")
    told: dict[str, Any] = {
        source: {"sub": "s-1", "email": "ana@x.example", "email_verified": True}
    }

    assert arriving(**told) == ana


@pytest.mark.parametrize("subjects", [("s-1", "s-2"), ("s-1", None), ("", "s-1")])
def test_userinfo_about_somebody_else_opens_nothing(subjects: tuple[str, str | None]) -> None:
    person("ana@x.example")
    ours, theirs = subjects
    claims = {"email": "ana@x.example", "email_verified": True}

    assert arriving(id_token={"sub": ours}, userinfo={"sub": theirs, **claims}) is None


@pytest.mark.parametrize("id_token", [{"sub": "s-1"}, {}])
def test_userinfo_about_nobody_opens_nothing(id_token: Claims) -> None:
    """OpenID Connect Core 5.3.2: `sub` is always there."""
    person("ana@x.example")

    claims = {"email": "ana@x.example", "email_verified": True}
    assert arriving(id_token=id_token, userinfo=claims) is None


def test_what_a_provider_contradicts_is_in_the_audit_log(settings: LazySettings) -> None:
    settings.PROXIES = 0

    arriving(id_token={"sub": "s-1"}, userinfo={"sub": "s-2"})

    event = AuditEvent.objects.get(action="log_in_failed")
    assert (event.address, event.target_id) == ("127.0.0.1", None)
    assert event.after == {"provider": "company", "reason": "claims"}


@pytest.mark.parametrize(
    "told",
    [
        {"userinfo": ["a list"]},
        {"userinfo": "text"},
        {"id_token": 7, "userinfo": {}},
        {"subject": ""},
        {"subject": "s" * 5000},
        {"userinfo": {"email": "a" * 5000 + "@x.example", "email_verified": True}},
    ],
)
def test_what_is_no_set_of_claims_is_a_refusal(
    told: dict[str, Any], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, monkeypatch, SIGN_UP="1")

    assert arriving(**told) is None
    assert not User.objects.exists()


# --- passwords of people who have a provider ------------------------------------------------------


@pytest.fixture
def ana(db: None) -> User:
    """She has a password, and comes from the company."""
    ana = person("ana@x.example", password=PASSWORD)
    SocialAccount.objects.create(user=ana, provider="company", uid="s-1")
    return ana


def log_in(person: User) -> Client:
    client = Client()
    client.post("/account/login/", {"login": person.email, "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def new_password(client: Client, person: User) -> None:
    person.refresh_from_db()
    form = client.get(password_links.password_link(person), follow=True)
    new = {"password1": "seven green kettles", "password2": "seven green kettles"}
    client.post(form.redirect_chain[-1][0], new)


@pytest.mark.parametrize(("setting", "is_open"), [("0", False), ("1", True)])
def test_a_setting_says_whether_people_of_a_provider_have_passwords(
    ana: User,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    is_open: bool,
) -> None:
    configure(settings, monkeypatch, PASSWORDS=setting)
    by_link = Client()

    by_password = log_in(ana)
    new_password(by_link, ana)

    assert [is_in(by_password), is_in(by_link)] == [is_open, is_open]


def test_without_the_setting_they_have_none_and_are_told_where_to_log_in(ana: User) -> None:
    client = Client()

    page = client.post(
        "/account/login/", {"login": ana.email, "password": PASSWORD}, follow=True
    ).text
    password_links.mail_password_link(email=ana.email, site="https://label.example")

    assert "Log in with Company." in page
    refused = AuditEvent.objects.get(action="log_in_failed")
    assert refused.after == {"provider": "company", "reason": "local"}
    (letter,) = letters()
    assert "log in with Company" in str(letter.body)
    assert "/password/reset/key/" not in str(letter.body)


def test_superusers_are_the_way_in_when_the_provider_is_away(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(is_superuser=True)

    assert is_in(log_in(ana))


def test_people_without_a_provider_log_in_as_before() -> None:
    assert is_in(log_in(person("bo@x.example", password=PASSWORD)))


# --- tokens ---------------------------------------------------------------------------------------


def token_of(person: User) -> str:
    return tokens.create_token(
        user=person, name="x", scopes=[Scope.TRAINING_READ], n_days=9, now=timezone.now()
    )[1]


def works(secret: str) -> bool:
    answer = Client().get("/api/v1/runs", headers={"Authorization": f"Bearer {secret}"})
    return answer.status_code == 200


@pytest.mark.parametrize(("asked", "is_working"), [({}, True), ({"tokens": "on"}, False)])
def test_logging_out_everywhere_ends_tokens_if_asked(
    alice: User, asked: dict[str, str], is_working: bool
) -> None:
    bo = person("bo@x.example", password=PASSWORD)
    secret, own = token_of(bo), log_in(bo)

    own.post("/profile/sessions/end", asked)
    by_themselves = works(secret)
    secret = token_of(bo)
    log_in(alice).post(f"/people/{bo.pk}/log-out", asked)

    assert [by_themselves, works(secret)] == [is_working] * 2
    assert AuditEvent.objects.filter(action="revoke_tokens").count() == (0 if is_working else 2)


def test_an_account_that_is_opened_again_has_no_tokens(alice: User) -> None:
    bo = person("bo@x.example")
    secret, admin = token_of(bo), log_in(alice)
    fields = {"name": "Bo", "email": bo.email, "roles": ["researcher"], "time_zone": "UTC"}

    admin.post(f"/people/{bo.pk}/", fields)
    closed = works(secret)
    admin.post(f"/people/{bo.pk}/", fields | {"is_active": "on"})

    assert [closed, works(secret)] == [False, False]
    assert User.objects.get(pk=bo.pk).is_active

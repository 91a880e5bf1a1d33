"""Where people are logged in: each log-in in a browser is listed, and can be ended elsewhere."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.login.sessions import SessionStore
from accounts.models import LoginSession, User

LISTED = "listed"
"""In a session that is listed: its key then, and when it was last seen."""
SEEN_EVERY = timedelta(minutes=10)
"""At most, and at most a tenth of the time that a session lasts unused."""
LONGEST_AGENT = 300
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone|iPad", "iOS"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""What a browser says of itself, and its name; the first that fits."""


@dataclass(frozen=True)
class BrowserSession:
    login: LoginSession
    browser: str
    is_this: bool


def begin(
    *, session: SessionBase, user: User, address: str | None, user_agent: str, now: datetime
) -> None:
    if session.session_key is None:
        session.save()
    LoginSession.objects.update_or_create(
        session_key=session.session_key,
        defaults={
            "user": user,
            "address": address,
            "user_agent": user_agent[:LONGEST_AGENT],
            "created_at": now,
            "seen_at": now,
        },
    )
    session[LISTED] = [session.session_key, now.timestamp()]


def see(*, session: SessionBase, now: datetime) -> None:
    """Note that a listed session is in use, at most every ten minutes, so that it lasts from then
    on; and the new key that it gets with a new password.
    """
    if LISTED not in session:
        return
    key, seen_at = session[LISTED]
    every_s = min(SEEN_EVERY.total_seconds(), settings.SESSION_COOKIE_AGE / 10)
    is_recent = now.timestamp() - seen_at < every_s
    if key == session.session_key and is_recent:
        return
    LoginSession.objects.filter(session_key=key).update(
        session_key=session.session_key, seen_at=now
    )
    session[LISTED] = [session.session_key, now.timestamp()]
    session.set_expiry(settings.SESSION_COOKIE_AGE)  # one that began under another setting too


def sessions_of(*, user: User, this: str | None = None, now: datetime) -> list[BrowserSession]:
    """Those that have not ended, the latest use first. `this` is the key of the reader's own."""
    lasting = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    sessions = LoginSession.objects.filter(Exists(lasting), user=user).order_by("-seen_at", "-pk")
    return [
        BrowserSession(login, browser_in_words(login.user_agent), login.session_key == this)
        for login in sessions
    ]


def end(*, user: User, pk: int, now: datetime) -> bool:
    """End one of the person's own sessions. False if it has ended already."""
    login = LoginSession.objects.filter(user=user, pk=pk).first()
    if login is None:
        return False
    return _end([login.session_key], user=user, by=user, now=now) == 1


def end_all(*, user: User, but: str | None = None, by: User, now: datetime) -> int:
    """Log the person out in every browser, except in the session with the key `but`. Returns in how
    many.
    """
    return _end(_keys(user, now=now) - {but}, user=user, by=by, now=now)


def clear_ended() -> None:
    lasting = Session.objects.filter(session_key=OuterRef("session_key"))
    LoginSession.objects.filter(~Exists(lasting)).delete()


def browser_in_words(user_agent: str) -> str:
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if re.search(mark, user_agent)), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def _keys(user: User, *, now: datetime) -> set[str | None]:
    """Also looks into sessions that are not listed, so that none is missed: those from before there
    was a list last for two weeks.
    """
    lasting = Session.objects.filter(expire_date__gt=now)
    logins = LoginSession.objects.filter(session_key=OuterRef("session_key"))
    listed = lasting.filter(Exists(logins.filter(user=user))).values_list("session_key", flat=True)
    unlisted = {
        session.session_key
        for session in lasting.filter(~Exists(logins)).iterator()
        if SessionStore().decode(session.session_data).get(SESSION_KEY) == str(user.pk)
    }
    return {*unlisted, *listed}


def _end(keys: Collection[str | None], *, user: User, by: User, now: datetime) -> int:
    with transaction.atomic():
        n_ended, _by_table = Session.objects.filter(session_key__in=keys).delete()
        LoginSession.objects.filter(session_key__in=keys).delete()
        if n_ended:
            audit_log.record(by, "end_sessions", user, after={"n_sessions": n_ended}, now=now)
    return n_ended

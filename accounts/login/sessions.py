"""Who is signed in: the queries for the session and for the person, which start every request."""

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db.models import BigAutoField, CharField, DateTimeField
from django.utils import timezone

from accounts.models import User
from config.performance.compiled import Compiled

_SESSION = Compiled(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now),
    key=CharField(max_length=40),
    now=DateTimeField(),
)
_USER = Compiled(lambda pk: User.objects.filter(pk=pk), pk=BigAutoField())


class SessionStore(DatabaseStore):
    """Django's database sessions, read through a compiled query."""

    def _get_session_from_db(self) -> Session | None:
        session = _SESSION.first(key=self.session_key, now=timezone.now())
        if session is None:
            self._session_key = None
        return session


class Backend(AuthenticationBackend):
    """Signs in by e-mail and password, as allauth does, unless the site has no passwords."""

    def authenticate(self, request: object, **credentials: object) -> object:
        return super().authenticate(request, **credentials) if settings.PASSWORDS else None

    def get_user(self, user_id: int) -> User | None:
        user = _USER.first(pk=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

"""Who may open which URL: the one table. A URL name that is not here is closed to everybody, and a test says so.

Whether a person may see one *object* is decided next door, in labeling.access and training.access.
"""

from enum import StrEnum


class Role(StrEnum):
    ANYONE = "anyone"
    """Signed in or not."""
    MEMBER = "member"
    """Signed in, whatever the roles."""
    RATER = "rater"
    ADMIN = "admin"
    RESEARCHER = "researcher"
    SUPERUSER = "superuser"


ANYONE = frozenset({Role.ANYONE})
MEMBER = frozenset({Role.MEMBER})
RATER = frozenset({Role.RATER})
ADMIN = frozenset({Role.ADMIN})
RESEARCHER = frozenset({Role.RESEARCHER})
STAFF = ADMIN | RESEARCHER
SUPERUSER = frozenset({Role.SUPERUSER})

# URL name (namespace:name) → who may. "namespace:*" covers a third-party namespace.
TABLE: dict[str, frozenset[Role]] = {
    "home": MEMBER,
    "healthz": ANYONE,
    "set_language": ANYONE,
    "javascript-catalog": ANYONE,
    "admin:*": SUPERUSER,
    # django-allauth
    "account_login": ANYONE,
    "account_logout": ANYONE,
    "account_signup": ANYONE,  # closed by accounts.adapter.ClosedSignup
    "account_inactive": ANYONE,
    "account_reauthenticate": MEMBER,
    "account_change_password": MEMBER,
    "account_set_password": MEMBER,
    "account_reset_password": ANYONE,
    "account_reset_password_done": ANYONE,
    "account_reset_password_from_key": ANYONE,
    "account_reset_password_from_key_done": ANYONE,
    "account_email": MEMBER,
    "account_confirm_email": ANYONE,
    "account_email_verification_sent": ANYONE,
}

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
NOBODY: frozenset[Role] = frozenset()
STAFF = ADMIN | RESEARCHER
SUPERUSER = frozenset({Role.SUPERUSER})

# URL name (namespace:name) → who may. "namespace:*" covers a third-party namespace.
TABLE: dict[str, frozenset[Role]] = {
    "home": MEMBER,
    "healthz": ANYONE,
    "set_language": ANYONE,
    "profile": MEMBER,
    "styleguide": ANYONE,  # outside production only
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
    # An admin says which address a login has, so these pages of allauth are not ours.
    "account_email": NOBODY,
    "account_confirm_email": NOBODY,
    "account_email_verification_sent": NOBODY,
    "account_confirm_login_code": NOBODY,
    # people
    "people": ADMIN,
    "person_new": ADMIN,
    "person": ADMIN,
    "person_invite": ADMIN,
    # the rater's desk
    "desk": RATER,
    "desk_next": RATER,
    "desk_item": RATER,
    "desk_draft": RATER,
    "desk_heartbeat": RATER,
    "desk_submit": RATER,
    "desk_skip": RATER,
    "desk_release": RATER,
    "desk_guideline": RATER,
    "desk_diff": RATER,
    "desk_preview": RATER,
    "my_work": RATER,
    # the admin's campaigns, pools, guidelines and prompts
    "campaigns": ADMIN,
    "campaign_new": ADMIN,
    "campaign_count": ADMIN,
    "campaign": ADMIN,
    "campaign_items": ADMIN,
    "campaign_item": ADMIN,
    "campaign_set_up": ADMIN,
    "campaign_open": ADMIN,
    "campaign_pause": ADMIN,
    "campaign_close": ADMIN,
    "export": ADMIN,
    "pools": ADMIN,
    "pool_new": ADMIN,
    "pool": ADMIN,
    "pool_edit": ADMIN,
    "pool_add": ADMIN,
    "pool_remove": ADMIN,
    "guidelines_manage": ADMIN,
    "guideline_new": ADMIN,
    "guideline_history": ADMIN,
    "guideline_edit": ADMIN,
    "prompts": ADMIN,
    "prompt_new": ADMIN,
    "prompt": ADMIN,
    "imports": ADMIN,
    "import_new": ADMIN,
    "import_detail": ADMIN,
    "import_publish": ADMIN,
    "import_discard": ADMIN,
    # the researcher's runs, models and snapshots
    "runs": RESEARCHER,
    "run_new": RESEARCHER,
    "run": RESEARCHER,
    "run_fragment": RESEARCHER,
    "run_stop": RESEARCHER,
    "run_retry": RESEARCHER,
    "snapshots": RESEARCHER,
    "snapshot_new": RESEARCHER,
    "snapshot": RESEARCHER,
    "models": RESEARCHER,
    "model_new": RESEARCHER,
    "model": RESEARCHER,
}

"""The roles of people, and the groups of roles that the tables of permissions use."""

from enum import StrEnum


class Role(StrEnum):
    ANYONE = "anyone"
    """Signed in or not."""
    MEMBER = "member"
    """Signed in, with any role or none."""
    RATER = "rater"
    ADMIN = "admin"
    RESEARCHER = "researcher"


ANYONE = frozenset({Role.ANYONE})
MEMBER = frozenset({Role.MEMBER})
RATER = frozenset({Role.RATER})
ADMIN = frozenset({Role.ADMIN})
RESEARCHER = frozenset({Role.RESEARCHER})
NOBODY: frozenset[Role] = frozenset()
STAFF = ADMIN | RESEARCHER

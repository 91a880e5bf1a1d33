"""Who a provider of OpenID Connect says has arrived."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from arithmetic import plain_text
from config.third_party.single_sign_on import Provider

LONGEST_NAME = 150


@dataclass(frozen=True)
class Identity:
    provider: Provider
    subject: str
    """The provider's id of the person, which never changes."""
    email: str
    """Lower case; empty if the provider does not tell it."""
    is_verified: bool
    name: str
    groups: frozenset[str]


def from_claims(*, provider: Provider, subject: str, claims: Mapping[str, object]) -> Identity:
    email = plain_text.storable(str(claims.get("email") or "")).strip().lower()
    says_verified = claims.get("email_verified") in (True, "true")  # Cognito sends text
    name = str(claims.get("name") or claims.get("preferred_username") or email.partition("@")[0])
    return Identity(
        provider=provider,
        subject=subject,
        email=email,
        is_verified=bool(email) and (provider.trusts_email or says_verified),
        name=plain_text.storable(name).strip()[:LONGEST_NAME] or provider.label,
        groups=frozenset(_groups(_claim(claims, provider.groups_claim))),
    )


def _claim(claims: Mapping[str, object], name: str) -> object:
    """A claim by its name, or by its path: some providers put groups into an object, and some use
    URLs, which have dots, as names.
    """
    if name in claims:
        return claims[name]
    value: object = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _groups(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (str(group) for group in value)

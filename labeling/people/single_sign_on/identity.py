"""Who a provider of OpenID Connect says has arrived."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from arithmetic import plain_text
from config.third_party.single_sign_on import Provider

LONGEST_NAME, LONGEST_ADDRESS, LONGEST_SUBJECT = 150, 254, 191


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


class UnusableClaims(Exception):
    """What the provider says contradicts itself, or is not what the standard says it is."""


def merged(*, id_token: object, userinfo: object) -> dict[str, object]:
    """One set of claims. The address and whether it is verified come from one of them: an address
    of one with the mark of the other would be nobody's word. Raises UnusableClaims.
    """
    sources = [part for part in (userinfo or {}, id_token or {}) if isinstance(part, Mapping)]
    if len(sources) != 2:
        raise UnusableClaims("The claims are no object.")
    subjects = {part.get("sub") for part in sources if part}
    if len(subjects) > 1 or None in subjects:
        raise UnusableClaims("userinfo and id_token are not about the same person.")
    ours = next((part for part in sources if part.get("email")), {})
    both: dict[str, object] = {**sources[1], **sources[0]}
    return both | {name: ours.get(name) for name in ("email", "email_verified")}


def from_claims(*, provider: Provider, subject: str, claims: Mapping[str, object]) -> Identity:
    """Raises UnusableClaims."""
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise UnusableClaims("The subject is empty or too long.")
    email = _address(claims.get("email"))
    mark = claims.get("email_verified")
    says_verified = mark is True or mark == "true"  # Cognito sends text
    name = str(claims.get("name") or claims.get("preferred_username") or email.partition("@")[0])
    return Identity(
        provider=provider,
        subject=subject,
        email=email,
        is_verified=bool(email) and (provider.trusts_email or says_verified),
        name=plain_text.storable(name).strip()[:LONGEST_NAME] or provider.label,
        groups=frozenset(_groups(_claim(claims, provider.groups_claim))),
    )


def _address(claim: object) -> str:
    """As we store it; "" if it is none, or written in characters that would become others then."""
    if not isinstance(claim, str) or len(claim) > LONGEST_ADDRESS:
        return ""
    written = plain_text.storable(claim).strip()
    return plain_text.mail_address(written) if written == _nfkc(written) else ""


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


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

"""Providers of OpenID Connect that people log in with, each from a group of variables."""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from config import env

PREFIX = "PREFERABLY_OIDC_"
ROLES = ("rater", "admin", "researcher")
FIELDS = (
    env.Knob(
        "URL",
        None,
        "Issuer of an OpenID Connect provider that people log in with, such as"
        " https://login.example.org/realms/team. <NAME> is a name of letters and digits that you"
        " choose; each provider has its own.",
    ),
    env.Knob("CLIENT_ID", None, "ID of this site at the provider."),
    env.Knob("CLIENT_SECRET", None, "Secret of this site at the provider."),
    env.Knob("LABEL", "", "Name of the provider on the button. Empty: <NAME>."),
    env.Knob("SCOPES", "openid,profile,email", "Scopes that the site asks for."),
    env.Knob(
        "GROUPS_CLAIM",
        "groups",
        "Claim with a person's groups. A dot leads into an object: realm_access.roles.",
    ),
    env.Knob(
        "ROLES",
        "",
        "Roles by group, such as label-admins=admin,ml-team=researcher. At each log-in, people get"
        " these roles and lose those whose group they have left.",
    ),
    env.Knob(
        "POOLS",
        "",
        "Pools by group, such as day-raters=Day shift. People join and leave them at each log-in.",
    ),
    env.Knob(
        "ALLOWED_DOMAINS",
        "",
        "Only people with a verified e-mail address at one of these domains may log in.",
    ),
    env.Knob("ALLOWED_GROUPS", "", "Only people in one of these groups may log in."),
    env.Knob(
        "SIGN_UP",
        "0",
        "1: everybody who may log in gets an account at the first log-in. 0: only people who have"
        " an account, or an invitation to a pool.",
    ),
    env.Knob(
        "TRUST_EMAIL",
        "0",
        "1: e-mail addresses count as verified even if the provider does not say so. Only if people"
        " cannot choose their address there.",
    ),
    env.Knob(
        "SECOND_FACTOR",
        "0",
        "1: the provider asks for a second factor, so that a log-in through it meets"
        " PREFERABLY_SECOND_FACTOR_ROLES.",
    ),
    env.Knob(
        "PASSWORDS",
        "0",
        "1: people who log in with this provider may also use a password or passkey of this site,"
        " and so pass by their groups, the provider's second factor, and having left. 0: only"
        " superusers may.",
    ),
    env.Knob(
        "SIGN_OUT_URL", "", "Page of the provider to log out there, offered after a log-out here."
    ),
)


@dataclass(frozen=True)
class Provider:
    name: str
    label: str
    url: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    groups_claim: str
    roles: tuple[tuple[str, str], ...]
    """Group, role"""
    pools: tuple[tuple[str, str], ...]
    """Group, name of a pool"""
    allowed_domains: frozenset[str]
    allowed_groups: frozenset[str]
    creates_accounts: bool
    trusts_email: bool
    asks_second_factor: bool
    allows_passwords: bool
    sign_out_url: str


def from_environment(*, needs_https: bool) -> dict[str, Provider]:
    """By name. Raises ImproperlyConfigured."""
    return {
        name: _provider(name, values, needs_https=needs_https)
        for name, values in env.groups(PREFIX, FIELDS).items()
    }


def _provider(name: str, values: dict[str, str], *, needs_https: bool) -> Provider:
    prefix = f"{PREFIX}{name.upper()}_"
    if needs_https and not values["URL"].startswith("https://"):
        raise ImproperlyConfigured(f"{prefix}URL has to begin with https://.")
    roles = _pairs(f"{prefix}ROLES", values["ROLES"])
    if unknown := sorted({role for _group, role in roles} - set(ROLES)):
        raise ImproperlyConfigured(
            f"{prefix}ROLES: {unknown[0]} is not a role. Roles are {', '.join(ROLES)}."
        )
    return Provider(
        name=name,
        label=values["LABEL"] or name.capitalize(),
        url=values["URL"].rstrip("/"),
        client_id=values["CLIENT_ID"],
        client_secret=values["CLIENT_SECRET"],
        scopes=tuple(_words(values["SCOPES"])),
        groups_claim=values["GROUPS_CLAIM"],
        roles=roles,
        pools=_pairs(f"{prefix}POOLS", values["POOLS"]),
        allowed_domains=frozenset(word.lower() for word in _words(values["ALLOWED_DOMAINS"])),
        allowed_groups=frozenset(_words(values["ALLOWED_GROUPS"])),
        creates_accounts=_flag(f"{prefix}SIGN_UP", values["SIGN_UP"]),
        trusts_email=_flag(f"{prefix}TRUST_EMAIL", values["TRUST_EMAIL"]),
        asks_second_factor=_flag(f"{prefix}SECOND_FACTOR", values["SECOND_FACTOR"]),
        allows_passwords=_flag(f"{prefix}PASSWORDS", values["PASSWORDS"]),
        sign_out_url=values["SIGN_OUT_URL"],
    )


def _words(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _pairs(variable: str, value: str) -> tuple[tuple[str, str], ...]:
    """group=target, separated by commas. A group may contain “=”, as in LDAP; a target may not."""
    pairs = []
    for part in _words(value):
        group, separator, target = part.rpartition("=")
        if not (separator and group.strip() and target.strip()):
            raise ImproperlyConfigured(f"{variable}: “{part}” is not group=name.")
        pairs.append((group.strip(), target.strip()))
    return tuple(pairs)


def _flag(variable: str, value: str) -> bool:
    try:
        return env.to_bool(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable}={value!r} is not a yes or a no (1, 0).") from error

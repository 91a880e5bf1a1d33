"""Lets people in who come from a provider of OpenID Connect: finds or creates their account, and
gives and takes roles and pools by their groups there.
"""

import logging
from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.people import services as people_services
from accounts.refusals import Refusal
from labeling.models import Pool, Rater
from labeling.people.accounts import services as accounts_services
from labeling.people.invitations import selectors as invitations_selectors
from labeling.people.pools import services as pools_services
from labeling.people.single_sign_on.identity import Identity

logger = logging.getLogger(__name__)


class UnableToLogIn(Refusal):
    """Somebody whom the provider knows may not come in; `reason` is for the audit log."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def admit(*, identity: Identity, address: str | None, now: datetime) -> User:
    """The account of this person, with the roles and pools of their groups. Raises UnableToLogIn,
    and records it with the client's `address`.
    """
    try:
        with transaction.atomic():
            _refuse_outsider(identity)
            user = _linked(identity) or _link(identity, now=now)
            if not user.is_active:
                sentence = _("This account is closed. Ask an admin to reopen it.")
                raise UnableToLogIn("account_closed", sentence)
            user = _with_roles(user, identity, now=now)
            _move_between_pools(user, identity, now=now)
    except UnableToLogIn as refusal:
        _record(refusal, identity, address=address, now=now)
        raise
    return user


def unlink(*, person: User, by: User, now: datetime) -> bool:
    """Forget which logins at providers belong to this person, for example because their company has
    given them a new one. False if there were none.
    """
    with transaction.atomic():
        links = SocialAccount.objects.filter(user=person)
        providers = sorted(links.values_list("provider", flat=True))
        links.delete()
        if providers:
            audit_log.record(by, "unlink", person, before={"providers": providers}, now=now)
    return bool(providers)


def _refuse_outsider(identity: Identity) -> None:
    provider, domain = identity.provider, identity.email.rpartition("@")[2]
    if provider.allowed_groups and provider.allowed_groups.isdisjoint(identity.groups):
        raise UnableToLogIn(
            "group",
            _("Your groups at %(provider)s don't open this site. Ask an admin of this site.")
            % {"provider": provider.label},
        )
    if provider.allowed_domains and not (
        identity.is_verified and domain in provider.allowed_domains
    ):
        raise UnableToLogIn(
            "domain",
            _("Only verified e-mail addresses at %(domains)s can log in here.")
            % {"domains": ", ".join(sorted(provider.allowed_domains))},
        )


def _linked(identity: Identity) -> User | None:
    """allauth has stored what the provider told, for which we have no use."""
    links = SocialAccount.objects.filter(provider=identity.provider.name, uid=identity.subject)
    links.update(extra_data={})
    link = links.select_related("user").first()
    return None if link is None else link.user


def _link(identity: Identity, *, now: datetime) -> User:
    """Links an existing account by its e-mail address, or creates one. Only a verified address
    counts: anybody may type any other at some providers.
    """
    if not identity.is_verified:
        raise UnableToLogIn(
            "unverified",
            _("%(provider)s has not verified your e-mail address. Verify it there, then try again.")
            % {"provider": identity.provider.label},
        )
    user = User.objects.filter(email=identity.email).first()
    if user is None:
        user = _created(identity, now=now)
    elif SocialAccount.objects.filter(user=user, provider=identity.provider.name).exists():
        # The company may have given the address of somebody who left to somebody else.
        raise UnableToLogIn(
            "other_login",
            _(
                "Your account here belongs to a different login at %(provider)s. Ask an admin to"
                " unlink it."
            )
            % {"provider": identity.provider.label},
        )
    SocialAccount.objects.create(
        user=user, provider=identity.provider.name, uid=identity.subject, extra_data={}
    )
    audit_log.record(user, "link", user, after={"provider": identity.provider.name}, now=now)
    return user


def _created(identity: Identity, *, now: datetime) -> User:
    is_invited = invitations_selectors.is_invited(email=identity.email, now=now)
    if not (identity.provider.creates_accounts or is_invited):
        raise UnableToLogIn(
            "no_account",
            _("%(email)s has no account here. Ask an admin of this site to create one for you.")
            % {"email": identity.email},
        )
    try:
        return accounts_services.create_person(
            email=identity.email, name=identity.name, roles=[], by=None, now=now
        )
    except people_services.UnableToCreatePerson as problem:
        raise UnableToLogIn("no_account", problem.sentence) from problem


def _with_roles(user: User, identity: Identity, *, now: datetime) -> User:
    """Superusers keep their roles: they are the way in if groups are wrong."""
    provider = identity.provider
    decided = {role for _group, role in provider.roles}
    current = {role for group, role in provider.roles if group in identity.groups}
    if _pools_of(identity):
        current.add("rater")
    roles = (user.roles - decided) | current
    if user.is_superuser or roles == user.roles:
        return user
    return accounts_services.change_person(
        user=user,
        email=user.email,
        name=user.name,
        roles=roles,
        time_zone=user.time_zone,
        is_active=True,
        by=None,
        now=now,
    )


def _move_between_pools(user: User, identity: Identity, *, now: datetime) -> None:
    rater = Rater.people.filter(user=user).first()
    if rater is None:
        return
    joined = _pools_of(identity)
    for name in sorted({name for _group, name in identity.provider.pools}):
        pool = Pool.objects.filter(name=name).first()
        if pool is None:
            logger.error(
                "PREFERABLY_OIDC_%s_POOLS names the pool “%s”, which does not exist.",
                identity.provider.name.upper(),
                name,
            )
        elif name in joined:
            _join(pool, rater, now=now)
        else:
            pools_services.remove_raters(pool=pool, raters=[rater], by=None, now=now)


def _join(pool: Pool, rater: Rater, *, now: datetime) -> None:
    try:
        pools_services.add_raters(pool=pool, raters=[rater], by=None, now=now)
    except pools_services.UnableToAddRaters as problem:  # they have withdrawn, but may log in
        logger.warning("Not added to a pool at the log-in: %s", problem.sentence)


def _pools_of(identity: Identity) -> frozenset[str]:
    return frozenset(name for group, name in identity.provider.pools if group in identity.groups)


def _record(
    refusal: UnableToLogIn, identity: Identity, *, address: str | None, now: datetime
) -> None:
    """Of a person without an account, the entry has the address but leads to no page."""
    known = _linked(identity) or User.objects.filter(email=identity.email).first()
    audit_log.record(
        None,
        "log_in_failed",
        known or User(email=identity.email, name=identity.email or identity.name),
        after={"provider": identity.provider.name, "reason": refusal.reason},
        address=address,
        now=now,
    )

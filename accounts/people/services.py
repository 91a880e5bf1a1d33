"""All writes about a person's login. Other facts about a person, such as being a rater, are written
by the app that owns them.
"""

from collections.abc import Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import access as accounts_access
from accounts import audit_log
from accounts.login import tokens
from accounts.models import User
from accounts.notices import mail
from accounts.refusals import Refusal
from arithmetic import plain_text

ROLES = ("rater", "admin", "researcher")


class UnableToCreatePerson(Refusal):
    """A person who cannot be given a login; the text says why."""


class UnableToChangePerson(Refusal):
    """A change that would lock the site; the text says why."""


def create_user(
    *,
    email: str,
    name: str,
    roles: Iterable[str],
    time_zone: str = "UTC",
    language: str = settings.LANGUAGE_CODE,
    is_active: bool = True,
    password: str | None = None,
    by: User | None,
    now: datetime,
) -> User:
    """Creates a login with `roles` (see ROLES). Without a password, the person sets one through a
    link or by mail before the first sign-in.

    Raises UnableToCreatePerson.
    """
    held, address = frozenset(roles), plain_text.mail_address(email)
    if unknown := held - frozenset(ROLES):
        raise UnableToCreatePerson(_("“%(role)s” is not a role.") % {"role": sorted(unknown)[0]})
    if "admin" in held and not accounts_access.may_make_admins(by=by):
        raise UnableToCreatePerson(_("Only a superuser can create an admin."))
    with transaction.atomic():
        if User.objects.filter(email=address).exists():
            raise UnableToCreatePerson(_("%(email)s already has an account.") % {"email": address})
        user = User.objects.create_user(
            email=address,
            password=password,
            name=name,
            time_zone=time_zone,
            language=language,
            is_active=is_active,
            created_at=now,
            **_as_fields(held),
        )
        audit_log.record(by, "create", user, after=_audited(user), now=now)
    return user


def update_user(
    *,
    user: User,
    email: str,
    name: str,
    roles: Iterable[str],
    time_zone: str,
    is_active: bool,
    by: User | None,
    now: datetime,
) -> User:
    """Updates the login. A new address is announced to the old one. Raises UnableToChangePerson if
    admins would lock themselves out, or could take over another admin's log-in.
    """
    held, address = frozenset(roles) & frozenset(ROLES), plain_text.mail_address(email)
    if by is not None and by.pk == user.pk and not (is_active and "admin" in held):
        raise UnableToChangePerson(
            _("You can't remove your own admin role or close your own account. Ask another admin.")
        )
    with transaction.atomic():
        stored = User.objects.select_for_update().get(pk=user.pk)
        if User.objects.filter(email=address).exclude(pk=user.pk).exists():
            raise UnableToChangePerson(_("%(email)s already has an account.") % {"email": address})
        _refuse_above(by, stored, address=address, roles=held, is_active=is_active)
        before = _audited(stored)
        fields = {
            "email": address,
            "name": name,
            "time_zone": time_zone,
            "is_active": is_active,
            **_as_fields(held),
        }
        User.objects.filter(pk=user.pk).update(**fields)
        stored.refresh_from_db()
        after = _audited(stored)
        if changed := {key for key in after if after[key] != before[key]}:
            audit_log.record(
                by,
                "change",
                stored,
                before={key: before[key] for key in sorted(changed)},
                after={key: after[key] for key in sorted(changed)},
                now=now,
            )
        if before["is_active"] and not is_active:
            tokens.revoke_all(user=stored, by=by, now=now)
        if before["email"] != address:
            _move_address(user=stored, old=str(before["email"]), by=by)
    return stored


def _refuse_above(
    by: User | None, person: User, *, address: str, roles: frozenset[str], is_active: bool
) -> None:
    if address != person.email and not accounts_access.may_manage_login(by=by, person=person):
        raise UnableToChangePerson(_("Only a superuser can change an admin's e-mail address."))
    is_same = roles == person.roles and is_active == person.is_active
    if not is_same and not accounts_access.may_change_roles(by=by, person=person):
        raise UnableToChangePerson(
            _("Only a superuser can change a superuser's roles or close their account.")
        )
    is_promotion_or_demotion = "admin" in roles ^ person.roles
    if is_promotion_or_demotion and not accounts_access.may_make_admins(by=by):
        raise UnableToChangePerson(
            _("Only a superuser can make somebody an admin or take that role from them.")
        )


def _move_address(*, user: User, old: str, by: User | None) -> None:
    """Removes what allauth has stored of the old address, which could otherwise still ask for a new
    password, and tells it.
    """
    EmailAddress.objects.filter(user=user).delete()
    _mail_moved(user=user, old=old, by=by)


def _mail_moved(*, user: User, old: str, by: User | None) -> None:
    with override(user.language):
        subject = _("Your Preferably e-mail address was changed")
        body = render_to_string(
            "account/email/address_changed.txt", {"person": user, "old": old, "by": by}
        )
    mail.post_on_commit(mail.Letter(old, subject, body))


def update_profile(*, user: User, name: str, time_zone: str, language: str) -> None:
    """Updates the details people may change themselves."""
    User.objects.filter(pk=user.pk).update(name=name, time_zone=time_zone, language=language)


def choose_language(*, user: User, language: str) -> None:
    User.objects.filter(pk=user.pk).update(language=language)


def end_tour(*, user: User, role: str) -> None:
    """The tour of that role (see ROLES) is not offered again."""
    User.objects.filter(pk=user.pk).update(**{f"ended_{role}_tour": True})


def turn_off_two_factor(*, user: User, by: User | None, now: datetime) -> bool:
    """For a person who has lost their phone or passkey and their recovery codes. False if it was
    off. `by` is None for a command of an operator. Raises UnableToChangePerson.
    """
    if not accounts_access.may_manage_login(by=by, person=user):
        raise UnableToChangePerson(
            _("Only a superuser can turn off an admin's two-factor authentication.")
        )
    with transaction.atomic():
        n_removed, _by_table = Authenticator.objects.filter(user=user).delete()
        if n_removed:
            audit_log.record(by, "two_factor_off", user, now=now)
            _mail_two_factor_off(user=user, by=by)
    return bool(n_removed)


def _mail_two_factor_off(*, user: User, by: User | None) -> None:
    with override(user.language):
        subject = _("Two-factor authentication was turned off")
        body = render_to_string("account/email/two_factor_off.txt", {"person": user, "by": by})
    mail.post_on_commit(mail.Letter(user.email, subject, body))


def end_sessions(*, user: User) -> None:
    """Signs a person without a password out, in every browser."""
    user.set_unusable_password()
    user.save(update_fields=["password"])


def invite(*, user: User, link: str, by: User, now: datetime) -> None:
    """Mails `link`, the full URL of a password link, in the person's own language and records who
    sent it.
    """
    with transaction.atomic():
        audit_log.record(by, "invite", user, now=now)
        _mail_invitation(user=user, link=link, by=by)


def _mail_invitation(*, user: User, link: str, by: User) -> None:
    context = {
        "person": user,
        "link": link,
        "by": by,
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    with override(user.language):
        subject = _("Your Preferably account")
        body = render_to_string("account/email/invitation.txt", context)
    mail.post_on_commit(mail.Letter(user.email, subject, body))


def _as_fields(roles: frozenset[str]) -> dict[str, bool]:
    return {f"is_{role}": role in roles for role in ROLES}


def _audited(user: User) -> dict[str, object]:
    return {
        "email": user.email,
        "name": user.name,
        "roles": sorted(user.roles),
        "time_zone": user.time_zone,
        "is_active": user.is_active,
    }

"""The first admin of a new site. Everybody after them gets an account from an admin."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.people import services
from accounts.refusals import Refusal
from arithmetic import plain_text


class UnableToMakeFirstAdmin(Refusal):
    """The site has an admin already, or the account cannot be created; the text says why."""


def make_first_admin(*, email: str, name: str, now: datetime) -> User:
    """An admin and superuser who has no password yet. While they have none, the same call returns
    them again, for a new link. Raises UnableToMakeFirstAdmin.
    """
    address = plain_text.mail_address(email)
    with transaction.atomic():
        admin = User.objects.filter(Q(is_admin=True) | Q(is_superuser=True), is_active=True).first()
        if admin is None:
            return _created(email=address, name=name, now=now)
        if admin.email == address and not admin.has_usable_password():
            return admin
    raise UnableToMakeFirstAdmin(
        _(
            "This site has an admin: %(email)s. Admins create accounts on the page “People”. If no"
            " admin can log in, run the command `createsuperuser`."
        )
        % {"email": admin.email}
    )


def _created(*, email: str, name: str, now: datetime) -> User:
    try:
        user = services.create_user(email=email, name=name, roles=["admin"], by=None, now=now)
    except services.UnableToCreatePerson as error:
        raise UnableToMakeFirstAdmin(error.sentence) from error
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return user

"""Links that set a password: made for an admin, or mailed to a person who asks for one."""

from datetime import timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override

from accounts.login import second_factor
from accounts.models import User
from accounts.notices import mail
from arithmetic import plain_text
from jobs.messages import Message

LINKS = Message(
    "accounts.tasks.mail_password_link",
    limit=timedelta(minutes=1),
    otherwise="The request mails it.",
)


def password_link(user: User) -> str:
    """The path of a page where `user` sets a password. It works once and expires after
    PASSWORD_RESET_TIMEOUT.
    """
    key = default_token_generator.make_token(user)
    return reverse(
        "account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key}
    )


def mail_password_link(*, email: str, site: str) -> None:
    """Mails the link to the account with this address, if there is one. `site` is the address of
    this site, without a slash at its end.
    """
    user = User.objects.filter(email=plain_text.mail_address(email), is_active=True).first()
    if user is None:
        return
    provider = second_factor.provider_needed(user)
    with override(user.language):
        subject = render_to_string("account/email/password_reset_key_subject.txt").strip()
        if provider is None:
            body = render_to_string(
                "account/email/password_reset_key_message.txt",
                {"password_reset_url": site + password_link(user)},
            )
        else:
            body = render_to_string(
                "account/email/password_of_provider.txt", {"provider": provider.label, "site": site}
            )
    mail.post([mail.Letter(user.email, subject, body)])

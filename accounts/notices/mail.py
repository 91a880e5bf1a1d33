"""Mails people through a worker, so that no page waits for a mail server."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused

from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from jobs.messages import Message

logger = logging.getLogger(__name__)

LETTERS = Message(
    "accounts.tasks.send_letters", limit=timedelta(minutes=5), otherwise="The request mails them."
)

AT_ONCE = 50
"""Letters in one message to a worker."""


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    body: str


def post_on_commit(letter: Letter) -> None:
    transaction.on_commit(lambda: post([letter]))


def post(letters: Sequence[Letter]) -> bool:
    """Have a worker send the letters, which tries again while the mail server is away. Call it
    after commit.

    While the broker is away, they are sent here. False if the mail server failed then.
    """
    are_sent = True
    for start in range(0, len(letters), AT_ONCE):
        batch = letters[start : start + AT_ONCE]
        if not LETTERS.send(letters=[asdict(letter) for letter in batch]):
            are_sent = are_sent and not send(batch)
    return are_sent


def send(letters: Sequence[Letter]) -> list[Letter]:
    """Send the letters over one connection. Returns those that are left when the mail server fails.

    An address that the server refuses is logged and left out: it would refuse it again.
    """
    left = list(letters)
    try:
        with get_connection() as connection:
            while left:
                try:
                    EmailMessage(
                        left[0].subject, left[0].body, None, [left[0].to], connection=connection
                    ).send()
                except SMTPRecipientsRefused:
                    logger.warning("The mail server refused %s.", left[0].to)
                left.pop(0)
    except (OSError, SMTPException) as problem:
        logger.warning("%d e-mails were not sent: %s", len(left), problem)
    return left

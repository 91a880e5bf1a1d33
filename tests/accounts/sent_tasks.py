"""The worker's part in a test: what the site has sent to the broker."""

from queue import Empty
from typing import Any

from django.core import mail
from django.core.mail import EmailMessage

from config.celery import app


def run_sent(task: str) -> list[dict[str, Any]]:
    """Runs every waiting message of this task and returns their arguments; drops all others."""
    found = []
    with app.connection_for_read() as connection:
        waiting = connection.SimpleQueue("short")
        try:
            while True:
                message = waiting.get_nowait()
                message.ack()
                if message.headers["task"] == task:
                    found.append(message.payload[1])
        except Empty:
            waiting.close()
    app.loader.import_default_modules()
    for arguments in found:
        app.tasks[task](**arguments)
    return found


def letters() -> list[EmailMessage]:
    """The e-mails that people got so far, after a worker has sent those that wait. Needs the
    fixture `empty_queue`.
    """
    run_sent("accounts.tasks.send_letters")
    return list(mail.outbox)


def drop_sent() -> None:
    """Drops every waiting message, as other tests leave some."""
    with app.connection_for_write() as connection:
        connection.SimpleQueue("short").clear()

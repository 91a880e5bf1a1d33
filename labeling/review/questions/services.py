"""Raters' questions to the admins about an item, and the answers."""

from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from labeling.models import Item, ItemQuestion, Rater


def ask_about(*, item: Item, rater: Rater, text: str, now: datetime) -> ItemQuestion:
    """The same text about the same item, sent again before there is an answer, is the same
    question.
    """
    with transaction.atomic():
        Rater.people.select_for_update(no_key=True).only("pk").get(
            pk=rater.pk
        )  # one question at a time
        asked = ItemQuestion.objects.filter(
            item=item, rater=rater, text=text, answered_at=None
        ).first()
        return asked or ItemQuestion.objects.create(item=item, rater=rater, text=text, asked_at=now)


def answer_question(*, question: ItemQuestion, text: str, by: User | None, now: datetime) -> None:
    """Store the answer, which the rater finds under My work; a later answer replaces it."""
    with transaction.atomic():
        ItemQuestion.objects.filter(pk=question.pk).update(
            answer=text, answered_by=by, answered_at=now
        )
        audit_log.record(
            by,
            "answer",
            question,
            before={"answer": question.answer},
            after={"answer": text},
            now=now,
        )
    question.refresh_from_db()

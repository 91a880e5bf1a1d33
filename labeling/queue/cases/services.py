"""Cases: skips open them, admins settle them. A skip as "Not my field" opens none: the item just
goes to another rater.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from labeling.models import Case, Item, ItemQuestion, Pass
from labeling.queue import items

QUEUE_OF = {
    Pass.Reason.PROMPT_UNCLEAR: Case.Queue.REPAIR,
    Pass.Reason.OFFENSIVE: Case.Queue.SAFETY,
    Pass.Reason.TECHNICAL: Case.Queue.TECHNICAL,
}
HOLDING = frozenset({Case.Queue.SAFETY})
"""Items with such a case are held until an admin has looked at them."""


class UnableToSettle(Refusal):
    """Raised when somebody else has already settled the case; the text says so."""


def open_case(*, item: Item, reason: str, now: datetime) -> None:
    """After a skip, in its transaction. A second skip for the same reason joins the open case."""
    queue = QUEUE_OF.get(Pass.Reason(reason))
    if queue is None:
        return
    Case.objects.bulk_create([Case(item=item, queue=queue, opened_at=now)], ignore_conflicts=True)
    if queue in HOLDING:
        items.hold(item_ids=[item.pk], now=now)


def assign_case(*, case: Case, owner: User | None, by: User, now: datetime) -> None:
    """Set who handles the case; None releases it."""
    with transaction.atomic():
        before = {"owner": Case.objects.values_list("owner__email", flat=True).get(pk=case.pk)}
        Case.objects.filter(pk=case.pk).update(owner=owner)
        audit_log.record(
            by, "own", case, before=before, after={"owner": owner.email if owner else None}, now=now
        )


def assign_question(*, question: ItemQuestion, owner: User | None, by: User, now: datetime) -> None:
    with transaction.atomic():
        before = {
            "owner": ItemQuestion.objects.values_list("owner__email", flat=True).get(pk=question.pk)
        }
        ItemQuestion.objects.filter(pk=question.pk).update(owner=owner)
        after = {"owner": owner.email if owner else None}
        audit_log.record(by, "own", question, before=before, after=after, now=now)


def settle_case(*, case: Case, outcome: str, note: str = "", by: User, now: datetime) -> None:
    """Mark the case as resolved; a held item is handed out again. Raises UnableToSettle.

    Raters who skipped the item do not get it again. Editing and retiring a prompt settle its cases
    too: see labeling.data.prompts.services.
    """
    with transaction.atomic():
        settled = Case.objects.filter(pk=case.pk, settled_at=None).update(
            settled_at=now, settled_by=by, outcome=Case.Outcome(outcome), note=note
        )
        if settled != 1:
            raise UnableToSettle(_("Someone else has already resolved this."))
        audit_log.record(by, "settle", case, after={"outcome": outcome, "note": note}, now=now)
        if not Case.objects.filter(item=case.item_id, queue__in=HOLDING, settled_at=None).exists():
            items.end_hold(item_ids=[case.item_id], now=now)


def settle_all(*, prompt_id: int, outcome: str, by: User, now: datetime) -> int:
    """Settle every open case of the prompt. Runs in the caller's transaction, which also decides
    what happens to the prompt's items.
    """
    waiting = Case.objects.filter(item__prompt=prompt_id, settled_at=None)
    return waiting.update(settled_at=now, settled_by=by, outcome=Case.Outcome(outcome))

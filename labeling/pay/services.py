"""Rates, payments and disputes. The amount due is never stored: labeling.pay.timesheets.selectors
computes it from the records.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from accounts.refusals import Refusal
from labeling.models import PayDispute, Payment, Pool, Rate, Rater
from labeling.pay.timesheets import paid, sheets
from labeling.pay.timesheets import selectors as timesheets_selectors
from labeling.queue import after_judgment
from labeling.queue.spending import money

LOOKED_BACK = timedelta(days=7)
"""This many days into a month, the previous month is still checked for alarms."""


class UnableToPay(Refusal):
    """Raised when a period cannot be marked as paid, or a rate cannot be set; the text says why."""


def set_rate(
    *,
    pool: Pool,
    kind: str,
    basis: str,
    amount: Decimal,
    currency: str,
    floor: Decimal | None = None,
    valid_from: datetime | None = None,
    by: User | None,
    now: datetime,
) -> Rate:
    """Set what the pool pays from `valid_from` on (now if not given). Amounts are in minor units.
    Raises UnableToPay.

    Campaigns with a budget in money recount what was done at this rate, and pause if too little is
    left.
    """
    start = valid_from or now
    with transaction.atomic():
        if Rate.objects.filter(pool=pool, kind=kind, valid_from=start).exists():
            raise UnableToPay(_("Another rate already starts at this time. Choose another day."))
        rate = Rate.objects.create(
            pool=pool,
            kind=kind,
            basis=basis,
            amount=amount,
            currency=currency,
            floor=floor,
            valid_from=start,
            created_by=by,
        )
        after = {
            "kind": kind,
            "rate": f"{money.words(amount, currency)} {rate.get_basis_display()}",
            "valid_from": start.isoformat(),
        }
        if floor is not None:
            after["floor"] = money.words(floor, currency)
        audit_log.record(by, "set_rate", pool, after=after, now=now)
        if start <= now:
            after_judgment.after_rate(pool=pool, kind=kind, now=now)
    return rate


def mark_paid(
    *, rater: Rater, since: date, until: date, note: str = "", by: User | None, now: datetime
) -> Payment:
    """Mark what is due in these days as paid, and store each line: from then on these lines do not
    change.

    Lines that were paid before are left out, so that no work is paid twice. Raises UnableToPay.
    """
    if since > until:
        raise UnableToPay(_("The last day must not be before the first."))
    if until >= now.astimezone(UTC).date():
        raise UnableToPay(
            _(
                "The period is not over yet, so today's work would be lost. End it yesterday or"
                " earlier."
            )
        )
    with transaction.atomic():
        Rater.people.select_for_update().get(pk=rater.pk)  # two admins pay only once
        sheet = timesheets_selectors.timesheet(rater=rater, since=since, until=until)
        due = [line for line in sheet.lines if not line.is_paid]
        if not sheet.lines:
            raise UnableToPay(_("There is nothing to pay for these days."))
        if not due:
            sentence = _(
                "Everything from %(since)s to %(until)s has already been paid. Choose other days."
            )
            raise UnableToPay(sentence % {"since": since, "until": until})
        if sheet.n_unpriced:
            raise UnableToPay(
                _(
                    "Some lines have no rate. Set the pool's rates first, starting on a day that"
                    " covers them."
                )
            )
        payment = Payment.objects.create(
            rater=rater,
            since=since,
            until=until,
            totals={currency: str(amount) for currency, amount in sheet.due.items()},
            lines=[paid.as_stored(line) for line in due],
            note=note,
            paid_at=now,
            paid_by=by,
        )
        after = {"since": str(since), "until": str(until), "total": sheet.due_words}
        audit_log.record(by, "pay", rater, after=after, now=now)
        _notify(
            rater,
            key=f"paid-{payment.pk}",
            kind=Notice.Kind.FINISHED,
            words=lambda: (
                _("%(since)s to %(until)s is marked as paid.")
                % {
                    "since": since,
                    "until": until,
                }
            ),
            now=now,
        )
    return payment


def raise_dispute(
    *, rater: Rater, since: date, until: date, text: str, now: datetime
) -> PayDispute:
    """Dispute the timesheet of these days; every admin is notified."""
    with transaction.atomic():
        dispute = PayDispute.objects.create(
            rater=rater, since=since, until=until, text=text, raised_at=now
        )
        notices_services.notify(
            people=User.objects.filter(is_admin=True, is_active=True),
            key=f"dispute-{dispute.pk}",
            kind=Notice.Kind.APPROVAL,
            words=lambda: _("%(alias)s disputes a timesheet.") % {"alias": rater.alias},
            path=reverse("pay_rater", args=[rater.pk]),
            now=now,
        )
    return dispute


def answer_dispute(
    *,
    dispute: PayDispute,
    text: str,
    correction: Decimal | None = None,
    currency: str = "",
    by: User | None,
    now: datetime,
) -> bool:
    """Store the answer, which the rater can read, and a correction that is paid (or deducted) on
    the day of the answer. False when it was answered already.
    """
    with transaction.atomic():
        answered = PayDispute.objects.filter(pk=dispute.pk, answered_at=None).update(
            answer=text,
            answered_by=by,
            answered_at=now,
            correction=correction,
            currency=currency if correction is not None else "",
        )
        if answered != 1:
            return False
        after = {"answer": text} | (
            {"correction": money.words(correction, currency)} if correction is not None else {}
        )
        audit_log.record(by, "answer", dispute, before={"text": dispute.text}, after=after, now=now)
        _notify(
            dispute.rater,
            key=f"dispute-answered-{dispute.pk}",
            kind=Notice.Kind.FEEDBACK,
            words=lambda: _("Your question about your pay has been answered."),
            now=now,
        )
    return True


def warn_of_floors(*, now: datetime) -> int:
    """Notify every admin of raters whose work this month pays less per hour than its floor; returns
    how many such alarms there are.

    Each combination of rater, pool and kind is reported once a month. In the first days of a month
    the previous month is checked as well, because work on its last evening would otherwise be
    missed.
    """
    today = now.astimezone(UTC).date()
    first = today.replace(day=1)
    n_alarms = _warn_of_floors(since=first, until=today, now=now)
    if today < first + LOOKED_BACK:
        before = first - timedelta(days=1)
        n_alarms += _warn_of_floors(since=before.replace(day=1), until=before, now=now)
    return n_alarms


def _warn_of_floors(*, since: date, until: date, now: datetime) -> int:
    admins = list(User.objects.filter(is_admin=True, is_active=True))
    alarms = [
        (row.rater, alarm)
        for row in timesheets_selectors.pay_rows(since=since, until=until)
        for alarm in row.sheet.alarms
    ]
    for rater, alarm in alarms:
        notices_services.notify(
            people=admins,
            key=f"floor-{rater.pk}-{since:%Y-%m}-{alarm.pool_id}-{alarm.kind}-{alarm.currency}",
            kind=Notice.Kind.WARNING,
            words=partial(_below_floor, rater, alarm),
            path=f"{reverse('pay_rater', args=[rater.pk])}?since={since}&until={until}",
            now=now,
        )
    return len(alarms)


def _below_floor(rater: Rater, alarm: sheets.Alarm) -> str:
    return f"{rater.alias}: {alarm.sentence}"


def _notify(
    rater: Rater, *, key: str, kind: Notice.Kind, words: Callable[[], str], now: datetime
) -> None:
    if rater.user is not None:
        notices_services.notify(
            people=[rater.user], key=key, kind=kind, words=words, path=reverse("my_pay"), now=now
        )

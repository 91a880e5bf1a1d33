"""Pay in the REST API: what is due, marking days as paid, and disputes. Amounts are in the major
unit of their currency, as text.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.page_forms import checked
from accounts.api.paging import PageQuery, page_of
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, lists, reads
from labeling import access as labeling_access
from labeling.models import PayDispute, Payment, Rater
from labeling.pay import services
from labeling.pay.forms import AnswerForm, PeriodForm
from labeling.pay.timesheets import paid, selectors
from labeling.pay.timesheets.sheets import PayRow, Timesheet
from labeling.queue.spending import money

BOUNDS = [MinValueValidator(dt.date(2000, 1, 1)), MaxValueValidator(dt.date(2999, 12, 31))]


def _amount(minor: Decimal, currency: str) -> str:
    """“12.50”, with more decimal places only for fractions of a cent."""
    major = money.to_major(minor, currency)
    exact = -int(major.normalize().as_tuple().exponent) if major else 0
    return f"{major:.{max(money.digits(currency), exact)}f}"


class AmountsField(serializers.DictField):
    """Currency → amount."""

    child = serializers.CharField()

    def to_representation(self, value: Mapping[str, Decimal]) -> dict[str, str]:
        return {code: _amount(minor, code) for code, minor in value.items()}


class PeriodQuery(serializers.Serializer[object]):
    since = serializers.DateField(
        required=False, validators=BOUNDS, help_text="In UTC. The first of this month without it."
    )
    until = serializers.DateField(
        required=False, validators=BOUNDS, help_text="The last day. Today without it."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, object]:
        today = timezone.now().astimezone(dt.UTC).date()
        since, until = PeriodForm(values).period(today=today)
        if "since" in values and "until" in values and values["since"] > values["until"]:
            raise ValidationError({"until": [_("The last day must not be before the first.")]})
        return values | {"since": since, "until": until}


class PeriodPageQuery(PeriodQuery, PageQuery):
    pass


class TimesheetSerializer(serializers.Serializer[object]):
    """What one rater did in these days, and what it comes to."""

    rater = serializers.IntegerField(source="rater.pk")
    alias = serializers.CharField(source="rater.alias")
    since = serializers.DateField(source="sheet.since")
    until = serializers.DateField(source="sheet.until")
    n = serializers.IntegerField(source="sheet.n", help_text="Answers.")
    n_skipped = serializers.IntegerField(source="sheet.n_skipped")
    active_s = serializers.FloatField(source="sheet.seconds")
    totals = AmountsField(source="sheet.totals")
    due = AmountsField(source="sheet.due", help_text="What is not paid yet.")
    n_without_rate = serializers.IntegerField(
        source="sheet.n_unpriced", help_text="Lines that cost nothing because no rate is set."
    )
    alarms = serializers.SerializerMethodField(help_text="Work that pays less than its minimum.")

    def get_alarms(self, row: PayRow) -> list[str]:
        return [alarm.sentence for alarm in row.sheet.alarms]


class TimesheetLineSerializer(serializers.Serializer[object]):
    day = serializers.DateField()
    pool = serializers.CharField()
    work = serializers.CharField()
    n = serializers.IntegerField()
    extra = serializers.IntegerField()
    skipped = serializers.IntegerField()
    active_s = serializers.FloatField()
    rate = serializers.CharField()
    paid_by = serializers.CharField(help_text="hour or item")
    amount = serializers.CharField(
        help_text="Negative for work “prolific”: what Prolific has paid of what is due."
    )
    currency = serializers.CharField()
    state = serializers.ChoiceField(choices=["paid", "due"])
    later = serializers.CharField(help_text="“yes” if it was added to a day that had been paid.")


class MarkPaidSerializer(serializers.Serializer[object]):
    since = serializers.DateField(validators=BOUNDS)
    until = serializers.DateField(validators=BOUNDS, help_text="Before today.")
    note = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="Such as the transfer number."
    )


class PaymentSerializer(RowSerializer):
    totals = serializers.SerializerMethodField(help_text="Currency → amount.")

    class Meta:
        model = Payment
        fields = ["id", "rater", "since", "until", "totals", "note", "paid_at"]

    def get_totals(self, payment: Payment) -> dict[str, str]:
        return {code: _amount(Decimal(minor), code) for code, minor in payment.totals.items()}


class DisputeQuery(PageQuery):
    is_answered = serializers.BooleanField(required=False, default=False)


class DisputeSerializer(RowSerializer):
    correction = serializers.SerializerMethodField(help_text="Paid on the day of the answer.")

    class Meta:
        model = PayDispute
        fields = [
            "id", "rater", "since", "until", "text", "raised_at", "answer", "answered_at",
            "correction", "currency",
        ]  # fmt: skip
        sources = {"rater": "rater.alias"}

    def get_correction(self, dispute: PayDispute) -> str | None:
        if dispute.correction is None:
            return None
        return _amount(dispute.correction, dispute.currency)


class AnswerDisputeSerializer(serializers.Serializer[object]):
    """The page's form checks the values."""

    text = serializers.CharField(max_length=5_000)
    correction = serializers.DecimalField(
        required=False,
        max_digits=12,
        decimal_places=3,
        help_text="In the major unit; a negative amount deducts.",
    )
    currency = serializers.CharField(required=False, max_length=3)

    def validate(self, values: Mapping[str, object]) -> dict[str, object]:
        return checked(AnswerForm(values)).arguments


class Pay(ApiViewSet):
    """One object is a rater."""

    queryset = Rater.people.all()
    serializer_class = TimesheetSerializer
    query_class = PeriodPageQuery

    def get_object(self) -> Rater:
        return labeling_access.any_rater(user=self.by, pk=self.kwargs["pk"])

    @lists("list_pay", page_of(TimesheetSerializer), query=PeriodPageQuery)
    def list(self, request: Request) -> Response:
        """Every rater with work in these days, by pseudonym."""
        days = {name: self.asked[name] for name in ("since", "until")}
        return self.part(selectors.pay_rows(**days))

    @reads("read_timesheet", TimesheetSerializer, query=PeriodQuery)
    def timesheet(self, request: Request, pk: int) -> Response:
        """One rater's totals in these days."""
        rater = self.get_object()
        return Response(TimesheetSerializer(PayRow(rater, self._sheet(rater))).data)

    @reads(
        "list_timesheet_lines",
        page_of(TimesheetLineSerializer),
        query=PeriodPageQuery,
        serializer_class=TimesheetLineSerializer,
    )
    def lines(self, request: Request, pk: int) -> Response:
        """One rater's days, each with its pool, kind of work, rate and amount."""
        return self.part(self._sheet(self.get_object()).lines)

    @reads(
        "list_payments",
        page_of(PaymentSerializer),
        query=PageQuery,
        serializer_class=PaymentSerializer,
    )
    def payments(self, request: Request, pk: int) -> Response:
        """What the rater was paid, newest first."""
        return self.page(selectors.payments_of(rater=self.get_object()))

    @does("mark_paid", PaymentSerializer, body=MarkPaidSerializer, status=201)
    def paid(self, rater: Rater, *, since: dt.date, until: dt.date, note: str) -> Payment:
        """Mark what is due in these days as paid, and notify the rater. Lines that were paid before
        are left out. 409 if nothing is due or a rate is missing.
        """
        return services.mark_paid(
            rater=rater, since=since, until=until, note=note, **self.who_and_when
        )

    def shown(self, objects: Sequence[Any]) -> Sequence[object]:
        return list(map(paid.as_record, objects)) if self.action == "lines" else objects

    def _sheet(self, rater: Rater) -> Timesheet:
        days = {name: self.asked[name] for name in ("since", "until")}
        return selectors.timesheet(rater=rater, **days)


@described(list_pay_disputes="Raters' objections to a timesheet, newest first.")
class Disputes(ListModelMixin, ApiViewSet):
    queryset = PayDispute.objects.all()
    serializer_class = DisputeSerializer
    query_class = DisputeQuery

    def filtered(self, queryset: QuerySet[PayDispute]) -> QuerySet[PayDispute]:
        disputes = queryset.select_related("rater")
        return disputes.filter(answered_at__isnull=not self.asked["is_answered"])

    def get_object(self) -> PayDispute:
        return labeling_access.dispute(user=self.by, pk=self.kwargs["pk"])

    @does("answer_pay_dispute", DisputeSerializer, body=AnswerDisputeSerializer)
    def answer(self, dispute: PayDispute, **values: Any) -> None:
        """Answer it, with a correction of the pay if you like. 409 if it is answered."""
        if not services.answer_dispute(dispute=dispute, **values, **self.who_and_when):
            raise Unable(_("Someone else has already answered it."))

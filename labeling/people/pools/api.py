"""Pools in the REST API: their settings, members and rates."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.fields import Flag, Name, Several
from accounts.api.page_forms import checked, filled
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, described, does, reads, writes
from labeling import access as labeling_access
from labeling.models import Pool, Rate, Rater
from labeling.pay import services as pay_services
from labeling.pay.forms import RateForm
from labeling.pay.timesheets import selectors as timesheets_selectors
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import selectors, services
from labeling.people.pools.forms import PoolForm
from labeling.queue.spending import money

MOST_WORDS = 100
_WORDS = ("languages", "expertise")


class PoolSerializer(RowSerializer):
    """Serializes a PoolRow."""

    languages = serializers.ListField(
        source="pool.languages",
        child=serializers.CharField(),
        help_text="Codes of the languages that everyone in the pool reads.",
    )
    expertise = serializers.ListField(
        source="pool.expertise",
        child=serializers.CharField(),
        help_text="What everyone in the pool knows: prompt categories and other tags.",
    )
    n_raters = serializers.IntegerField()
    n_campaigns = serializers.IntegerField()

    class Meta:
        model = Pool
        inside = "pool"
        fields = [
            "id", "name", "description", "is_held_out", "languages", "expertise",
            "routes_by_language", "routes_by_category", "max_per_day", "max_at_once", "shown_items",
            "shown_percent", "n_raters", "n_campaigns", "paused_at", "created_at",
        ]  # fmt: skip
        help_texts = {"paused_at": "Since then, its raters get no items."}


def _words(help_text: str) -> serializers.ListField:
    child = serializers.RegexField(r"^[^,]+$", max_length=64)
    return serializers.ListField(
        child=child, max_length=MOST_WORDS, required=False, help_text=help_text
    )


def _number(help_text: str, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, help_text=help_text, **options)


class PoolChangeSerializer(serializers.Serializer[object]):
    """The fields of the page's form, which checks them. Omitted fields keep their value."""

    name = Name(max_length=120, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    is_held_out = Flag(
        required=False,
        help_text="Answers from this pool are used for evaluation only, never for training.",
    )
    languages = _words("Codes of the languages that everyone in the pool reads, such as `en`.")
    expertise = _words("What everyone in the pool knows: prompt categories, or tags of your own.")
    routes_by_language = Flag(
        required=False, help_text="Items only go to raters who know their language."
    )
    routes_by_category = Flag(
        required=False, help_text="Items only go to raters who know their category."
    )
    max_per_day = _number(
        "The most items one rater gets per day. Null for no limit.",
        min_value=1,
        max_value=1_000_000,
        allow_null=True,
    )
    max_at_once = _number(
        "The most items one rater can have open at a time. Null for no limit.",
        min_value=1,
        max_value=10_000,
        allow_null=True,
    )
    shown_items = _number(
        "Good answers in a category that earn a skill. Null turns this off.",
        min_value=5,
        max_value=10_000,
        allow_null=True,
    )
    shown_percent = _number("Percent of answers that must be good.", min_value=51, max_value=100)


class NewPoolSerializer(PoolChangeSerializer):
    """Omitted fields have the page's initial value."""

    name = Name(max_length=120)


class PoolMemberSerializer(serializers.Serializer[object]):
    """A rater in the pool, under their pseudonym."""

    id = serializers.IntegerField(source="membership.pk")
    rater = serializers.IntegerField(source="membership.rater_id")
    alias = serializers.CharField(source="membership.rater.alias")
    joined_at = serializers.DateTimeField(source="membership.joined_at")
    paused_at = serializers.DateTimeField(source="membership.paused_at", allow_null=True)
    n_judged = serializers.IntegerField(help_text="Their answers, in all pools.")
    last_at = serializers.DateTimeField(allow_null=True, help_text="When they last answered.")


class NewPoolMembersSerializer(serializers.Serializer[object]):
    raters = Several(
        Rater.people.filter(user__is_active=True),
        min_length=1,
        help_text="IDs of raters whose login is open.",
    )


class PoolMembersSerializer(serializers.Serializer[object]):
    raters = Several(Rater.people.all(), min_length=1, help_text="IDs of raters in the pool.")


class PoolPauseSerializer(serializers.Serializer[object]):
    raters = Several(
        Rater.people.all(),
        required=False,
        min_length=1,
        help_text="IDs of raters in the pool. Leave it out for the whole pool.",
    )


class PoolRateSerializer(RowSerializer):
    """What the pool pays for one kind of work from a time on."""

    amount = serializers.SerializerMethodField(
        help_text="In whole units: 12.5 with `EUR` is 12.50 euros."
    )
    floor = serializers.SerializerMethodField(
        help_text="Timesheets flag pay below this per hour. Null for none."
    )

    class Meta:
        model = Rate
        fields = ["id", "kind", "basis", "amount", "currency", "floor", "valid_from"]

    def get_amount(self, rate: Rate) -> str:
        return _major(rate.amount, rate.currency)

    def get_floor(self, rate: Rate) -> str | None:
        return None if rate.floor is None else _major(rate.floor, rate.currency)


def _major(minor: Decimal, currency: str) -> str:
    return format(money.to_major(minor, currency).normalize(), "f")


def _amount(help_text: str, **options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=12, decimal_places=4, min_value=Decimal(0), help_text=help_text, **options
    )


class NewPoolRateSerializer(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=Rate.Kind.choices)
    basis = serializers.ChoiceField(choices=Rate.Basis.choices, default=Rate.Basis.HOUR)
    amount = _amount("In whole units: 12.5 with `EUR` is 12.50 euros.")
    currency = serializers.CharField(max_length=3, help_text="Three letters, such as EUR.")
    floor = _amount("Timesheets flag pay below this per hour.", required=False, allow_null=True)
    from_day = serializers.DateField(
        required=False,
        allow_null=True,
        help_text=(
            "Leave it out to start now. A past day reprices all work since then, except days"
            " already marked as paid."
        ),
    )


@described(list_pools="Pools, newest first.", read_pool="One pool.")
class Pools(ListModelMixin, RetrieveModelMixin, ApiViewSet):
    queryset = Pool.objects.all()
    serializer_class = PoolSerializer

    def shown(self, objects: Sequence[Pool]) -> Sequence[object]:
        return selectors.pool_rows(pools=objects)

    def get_object(self) -> Pool:
        return labeling_access.pool(user=self.by, pk=self.kwargs["pk"])

    @writes("create_pool", PoolSerializer, body=NewPoolSerializer, status=201)
    def create(self, **values: object) -> Pool:
        """Create a pool without raters."""
        form = checked(PoolForm(filled(PoolForm(), _typed(values))))
        return services.create_pool(**form.arguments, **self.who_and_when)

    @writes("change_pool", PoolSerializer, body=PoolChangeSerializer, is_one=True)
    def partial_update(self, pool: Pool, **values: object) -> None:
        """Change its settings. Omitted fields keep their value."""
        data = filled(PoolForm(instance=pool), _typed(values))
        form = checked(PoolForm(data, instance=pool))
        services.edit_pool(pool=pool, **form.arguments, **self.who_and_when)

    @reads(
        "list_pool_members",
        paging.page_of(PoolMemberSerializer),
        query=PageQuery,
        serializer_class=PoolMemberSerializer,
    )
    def members(self, request: Request, pk: int) -> Response:
        """Its raters, those who joined last first."""
        return self.page(
            selectors.pool_members(pool=self.get_object()),
            shown=lambda memberships: selectors.member_rows(memberships=memberships),
        )

    @does("add_raters_to_pool", PoolSerializer, body=NewPoolMembersSerializer)
    def add(self, pool: Pool, *, raters: list[Rater]) -> None:
        """Add raters. Those who are in the pool already stay as they are."""
        services.add_raters(pool=pool, raters=raters, **self.who_and_when)

    @does("remove_raters_from_pool", PoolSerializer, body=PoolMembersSerializer)
    def remove(self, pool: Pool, *, raters: list[Rater]) -> None:
        """Remove raters. They can submit the items they hold, and get no new ones."""
        services.remove_raters(pool=pool, raters=raters, **self.who_and_when)

    @does("pause_pool", PoolSerializer, body=PoolPauseSerializer)
    def pause(self, pool: Pool, *, raters: list[Rater] | None = None) -> None:
        """Give the pool, or only some of its raters, no new items for now."""
        self._pause_or_resume(
            pool, raters, services.pause_pool, of_raters=accounts_services.pause_raters
        )

    @does("resume_pool", PoolSerializer, body=PoolPauseSerializer)
    def resume(self, pool: Pool, *, raters: list[Rater] | None = None) -> None:
        """Give the pool, or only some of its raters, items again."""
        self._pause_or_resume(
            pool, raters, services.resume_pool, of_raters=accounts_services.resume_raters
        )

    @reads(
        "list_pool_rates",
        paging.page_of(PoolRateSerializer),
        query=PageQuery,
        serializer_class=PoolRateSerializer,
    )
    def rates(self, request: Request, pk: int) -> Response:
        """What the pool pays, newest first. For each kind of work, the latest one that has started
        is valid.
        """
        return self.page(timesheets_selectors.rates_of(pool=self.get_object()), shown=list)

    @rates.mapping.post
    @writes(
        "set_pool_rate", PoolRateSerializer, body=NewPoolRateSerializer, status=201, is_one=True
    )
    def set_rate(self, pool: Pool, **values: object) -> Rate:
        """Set what the pool pays for one kind of work from now or a day on."""
        form = checked(RateForm(filled(RateForm(), values)))
        return pay_services.set_rate(pool=pool, **form.arguments, **self.who_and_when)

    def _pause_or_resume(
        self,
        pool: Pool,
        raters: list[Rater] | None,
        act: Callable[..., object],
        *,
        of_raters: Callable[..., object],
    ) -> None:
        if raters is None:
            act(pool=pool, **self.who_and_when)
        else:
            of_raters(pool=pool, raters=raters, **self.who_and_when)


def _typed(values: dict[str, Any]) -> dict[str, object]:
    """With lists of words as the form takes them."""
    return values | {name: ", ".join(values[name]) for name in _WORDS if name in values}

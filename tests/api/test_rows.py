"""Rows of tables as JSON: what a field takes from its column, and what it is told."""

from typing import Any

import pytest
from rest_framework import serializers

from accounts.api.rows import RowSerializer
from accounts.models import AuditEvent, Delivery, Webhook
from training.models import Suite


class DeliveryRow(RowSerializer):
    body = serializers.IntegerField(source="body.size")

    class Meta:
        model = Delivery
        fields = ["id", "webhook", "site", "event", "body", "state", "tried_at", "n_attempts"]
        sources = {"site": "webhook.url", "n_attempts": "n_tries"}
        help_texts = {"event": "What happened.", "body": "Not read: the field is declared."}


class RowWithObjects(RowSerializer):
    class Meta:
        model = AuditEvent
        fields = ["before", "after"]


class RowWithAList(RowSerializer):
    class Meta:
        model = Webhook
        fields = ["events"]


class RowWithASlug(RowSerializer):
    class Meta:
        model = Suite
        fields = ["slug"]


class RowBesideACount(RowSerializer):
    n_waiting = serializers.IntegerField()

    class Meta:
        model = Webhook
        inside = "webhook"
        fields = ["name", "created_by", "old_secret_until", "n_waiting"]
        sources = {"old_secret_until": "old_salt_until"}


def test_a_field_has_the_type_and_the_null_of_its_column() -> None:
    fields = DeliveryRow().fields

    assert {name: type(field).__name__ for name, field in fields.items()} == {
        "id": "IntegerField",
        "webhook": "IntegerField",
        "site": "CharField",
        "event": "CharField",
        "body": "IntegerField",
        "state": "ChoiceField",
        "tried_at": "DateTimeField",
        "n_attempts": "IntegerField",
    }
    assert [name for name, field in fields.items() if field.allow_null] == ["tried_at"]
    assert isinstance(fields["state"], serializers.ChoiceField)
    assert dict(fields["state"].choices) == dict(Delivery.State.choices)


def test_a_json_column_is_an_object_only_where_it_begins_as_one_and_a_slug_is_text() -> None:
    fields = {**RowWithObjects().fields, **RowWithAList().fields, **RowWithASlug().fields}

    assert {name: type(field).__name__ for name, field in fields.items()} == {
        "before": "DictField",
        "after": "DictField",
        "events": "JSONField",
        "slug": "CharField",
    }


def test_a_field_is_always_in_the_response_and_has_no_bounds_of_input() -> None:
    fields = DeliveryRow().fields.values()

    assert all(field.required and not field.read_only for field in fields)
    assert [field.max_length for field in fields if isinstance(field, serializers.CharField)] == [
        None,
        None,
    ]


def test_the_help_of_a_column_is_for_the_pages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Delivery._meta.get_field("tried_at"), "help_text", "For admins.")

    fields = DeliveryRow().fields

    assert {name: field.help_text for name, field in fields.items() if field.help_text} == {
        "event": "What happened."
    }


def test_a_foreign_key_is_an_id_and_a_source_leads_over_it() -> None:
    delivery = Delivery(pk=3, event="run.finished", n_tries=2, state=Delivery.State.WAITING)
    delivery.webhook = Webhook(pk=7, url="https://example.org/hook")
    delivery.body = Sized(11)  # type: ignore[assignment]  # its declared field reads `size`

    assert DeliveryRow(delivery).data == {
        "id": 3,
        "webhook": 7,
        "site": "https://example.org/hook",
        "event": "run.finished",
        "body": 11,
        "state": "waiting",
        "tried_at": None,
        "n_attempts": 2,
    }


def test_a_row_may_have_something_beside_it() -> None:
    webhook = Webhook(name="Ours", created_by_id=5)

    row: dict[str, Any] = {"webhook": webhook, "n_waiting": 4}

    assert RowBesideACount(row).data == {
        "name": "Ours",
        "created_by": 5,
        "old_secret_until": None,
        "n_waiting": 4,
    }


class Sized:
    def __init__(self, size: int) -> None:
        self.size = size

"""What raters gave: demonstrations and comparisons, their drafts, and exports of them."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arithmetic import chats
from arithmetic.chats import Message
from jobs.models import Job
from labeling.kinds import choices
from labeling.models.campaigns import Campaign, Item
from labeling.models.guidelines import GuidelineVersion
from labeling.models.pools import Rater
from labeling.models.prompts import Import, Prompt, Response, WholeAnswer
from labeling.models.slots import Slot

WARNING_LABELS: dict[str, Promise] = {
    "order_as_shown": _("Ranked in the order shown"),
    "contradicts_ratings": _("Ranking contradicts the ratings"),
    "faster_than_reading": _("Faster than the texts can be read"),
    "partly_ranked": _("Not every response ranked"),
    "edited_not_best": _("Edited a response that is not ranked best"),
    "unusual_length": _("Shorter or longer than expected"),
    "constraint_unticked": _("A requirement not checked"),
}
"""What admins read for each name in `Judgment.warnings`."""


class VersionsOfEveryone(models.Manager["Judgment"]):
    """Every version of the judgments of people and machines."""

    conditions: ClassVar[Mapping[str, object]] = {}

    def get_queryset(self) -> models.QuerySet["Judgment"]:
        return super().get_queryset().filter(self.condition())

    def condition(self, path: str = "") -> Q:
        """The same choice for a query of another table. `path` leads to the judgment:
        "comparison__judgment__" for a RankedResponse.
        """
        return Q(**{f"{path}{name}": value for name, value in self.conditions.items()})


class OfEveryone(VersionsOfEveryone):
    """Current judgments of people and machines: a corrected one only in its latest version."""

    conditions: ClassVar[Mapping[str, object]] = {"is_current": True}


class VersionsOfPeople(VersionsOfEveryone):
    """Every version of people's judgments."""

    conditions: ClassVar[Mapping[str, object]] = {"rater__kind": Rater.Kind.PERSON}


class OfPeople(VersionsOfEveryone):
    """People's current judgments."""

    conditions: ClassVar[Mapping[str, object]] = {
        **OfEveryone.conditions,
        **VersionsOfPeople.conditions,
    }


class Judgment(models.Model):
    """One rater's answer to one prompt, with what was shown at the time. Imported and extra
    judgments have no slot.

    A correction is a row of its own that takes over slot, lease and submitted_at.

    Whoever reads judgments names whose: `of_people` or `of_everyone`, and in every version
    `versions_of_people` or `versions_of_everyone`. Relations such as `campaign.judgments` contain
    people's current judgments. A join such as `judgments__…` includes everything: filter it by the
    `condition` of one of these managers. `tests/house/tables/test_judgments.py` looks for readers
    that do neither.
    """

    Kind = choices.Answer

    kind = models.CharField(max_length=16, choices=Kind)
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="judgments")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="judgments")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, related_name="judgments"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="judgments")
    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, null=True, related_name="judgment")
    lease = models.UUIDField(
        null=True,
        unique=True,
        help_text="the lease it was written under: submitting twice stores one row",
    )
    is_extra = models.BooleanField(
        default=False, help_text="submitted after its lease lapsed and every slot was taken"
    )
    is_gold = models.BooleanField(
        default=False, help_text="on a gold item: scores the rater, and is not used as data"
    )
    guideline_version = models.ForeignKey(
        GuidelineVersion, on_delete=models.PROTECT, null=True, related_name="judgments"
    )
    import_batch = models.ForeignKey(
        Import, on_delete=models.PROTECT, null=True, related_name="judgments"
    )
    presentation = models.JSONField(
        default=dict, help_text="what was shown and switched: see docs/recorded.md"
    )
    warnings = models.JSONField(
        default=list, help_text="names of the warnings that the rater dismissed"
    )
    active_s = models.FloatField(
        null=True, help_text="seconds with input in the last 60; null when not measured"
    )
    leased_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(
        default=timezone.now, help_text="when the first version was submitted"
    )
    version = models.PositiveSmallIntegerField(default=1)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="superseded_by"
    )
    is_current = models.BooleanField(default=True, help_text="no later version has replaced it")
    corrected_at = models.DateTimeField(
        null=True, help_text="when this version was submitted; null for the first"
    )

    of_people = OfPeople()
    of_everyone = OfEveryone()
    versions_of_people = VersionsOfPeople()
    versions_of_everyone = VersionsOfEveryone()

    class Meta:
        indexes = [
            models.Index(fields=["campaign", "submitted_at"], name="judgment_campaign_time"),
            models.Index(fields=["rater", "submitted_at"], name="judgment_rater_time"),
            # The feed begins with the first judgment since a time.
            models.Index(fields=["submitted_at", "id"], name="judgment_time"),
            # Reports read votes in blocks and look up the few that were corrected since.
            models.Index(
                fields=["campaign"], condition=Q(is_current=False), name="judgment_superseded"
            ),
        ]
        constraints = [
            # Earlier versions of a corrected answer stay, and so does an import, which has no item.
            models.UniqueConstraint(
                fields=["item", "rater"],
                condition=Q(item__isnull=False, is_current=True),
                name="judgment_rater_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def warning_labels(self) -> list[str]:
        """The overruled warnings in words; an imported name that is not ours is shown as it is."""
        return [str(WARNING_LABELS.get(name, name.replace("_", " "))) for name in self.warnings]


class Demonstration(WholeAnswer):
    """The answer a rater wrote. A comparison has one too if its rater edited a response: the edit
    is preferred to its original.
    """

    judgment = models.OneToOneField(
        Judgment, on_delete=models.CASCADE, primary_key=True, related_name="demonstration"
    )
    further = models.JSONField(
        default=list,
        blank=True,
        help_text="for a whole dialogue: the turns after `text`, as chat messages",
    )
    sources = models.TextField(
        blank=True, default="", help_text="where the facts came from, in the writer's words"
    )
    edit_of = models.ForeignKey(
        Response,
        on_delete=models.PROTECT,
        null=True,
        related_name="edits",
        help_text="the response it was made from",
    )
    response = models.OneToOneField(
        Response,
        on_delete=models.PROTECT,
        null=True,
        related_name="demonstration",
        help_text="the edit, stored as a response",
    )

    class Meta:
        constraints = [
            # An edit has both its original and the response it became, anything else neither.
            models.CheckConstraint(
                condition=Q(edit_of__isnull=True, response__isnull=True)
                | Q(edit_of__isnull=False, response__isnull=False),
                name="demonstration_edit_is_whole",
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]

    def later_answers(self) -> Iterator[tuple[list[Message], Message]]:
        """In a dialogue, each answer after the first, with the chat before it."""
        first = chats.answer(self.text, **self.parts)
        chat = [*self.judgment.prompt.messages, first, *self.further]
        for place in range(len(chat) - len(self.further), len(chat)):
            if chat[place]["role"] == "assistant":
                yield chat[:place], chat[place]

    @property
    def whole(self) -> str:
        """The text and its tool calls as Markdown; in a dialogue with its later turns, each headed
        by its speaker.
        """
        speakers = {"user": _("User"), "assistant": _("Assistant"), "tool": _("Tool")}
        first = chats.answer(self.text, tool_calls=self.tool_calls)
        return "\n\n".join(
            [
                chats.as_markdown(first),
                *(
                    f"**{speakers[turn['role']]}**\n\n{chats.as_markdown(turn)}"
                    for turn in self.further
                ),
            ]
        )


class Comparison(models.Model):
    """A rater's order of an item's responses; its parts are RankedResponse rows."""

    judgment = models.OneToOneField(
        Judgment, on_delete=models.CASCADE, primary_key=True, related_name="comparison"
    )
    strength = models.PositiveSmallIntegerField(
        null=True, help_text="1 negligible … 4 significant; null when not asked"
    )
    reason = models.TextField(null=True, blank=True, help_text="null when not asked")
    is_all_bad = models.BooleanField(
        default=False, help_text="no response is worth ranking; the reason says why"
    )

    def __str__(self) -> str:
        return f"comparison {self.pk}"


class RankedResponse(models.Model):
    """One response in a comparison: its position on the page, its own ratings and its rank."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="ranked")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="ranked")
    position = models.PositiveSmallIntegerField(help_text="0 = shown first")
    rank = models.PositiveSmallIntegerField(
        null=True, help_text="1 = best, equal numbers tie; null when left unranked"
    )
    ratings = models.JSONField(
        default=dict, help_text="question name → answer; a question that was not asked is absent"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "response"], name="ranked_response_once"),
            models.UniqueConstraint(fields=["comparison", "position"], name="ranked_position_once"),
        ]

    def __str__(self) -> str:
        return f"response {self.response_id} at rank {self.rank}"


class Draft(models.Model):
    """What a rater has typed but not submitted; it survives the end of the lease. Correcting an
    answer has a separate draft.
    """

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="drafts")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="drafts")
    version = models.PositiveSmallIntegerField(
        default=0,
        help_text="version of the answer it corrects; 0 before the rater's first answer",
    )
    content = models.JSONField(default=dict)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rater", "item", "version"], name="draft_once")
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"


class ItemQuestion(models.Model):
    """A rater's question to the admins about an item, and their answer."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="questions")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="questions")
    text = models.TextField()
    asked_at = models.DateTimeField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    answer = models.TextField(blank=True, default="")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["rater", "asked_at"], name="question_rater_time"),
            models.Index(
                fields=["asked_at"],
                condition=Q(answered_at__isnull=True),
                name="question_unanswered",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Export(Job):
    """A ZIP archive of judgments with a dataset card, written by a worker. The row stays when the
    file is deleted.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("pending")
        RUNNING = "running", _("running")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, related_name="exports", help_text="null: all"
    )
    shape = models.CharField(max_length=32, help_text="a key of labeling.data.exports.shapes")
    style = models.CharField(max_length=16, help_text="conversational or standard")
    file_format = models.CharField(max_length=8, help_text="jsonl, json or parquet")
    options = models.JSONField(
        default=dict, help_text="includes_extra, includes_repeats, includes_imports, licences"
    )
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    n_rows = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=dict, help_text="reason → how many")
    card = models.TextField(blank=True, default="", help_text="Markdown: README.md of the archive")
    file_name = models.CharField(
        max_length=64, blank=True, default="", help_text="below EXPORTS_DIR; empty: no file"
    )
    n_bytes = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export {self.pk}"

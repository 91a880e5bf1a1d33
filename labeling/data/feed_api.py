"""The feed of judgments in the REST API, and the events that say what stopped counting."""

from collections.abc import Sequence

from django.db.models import Model
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.fields import Id
from accounts.api.paging import PageQuery
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, lists
from labeling.data.exports import rows as exports_rows
from labeling.data.exports import streams
from labeling.data.prompts.api.messages import MessageSerializer
from labeling.models import Demonstration, Judgment, JudgmentEvent, Prompt
from labeling.queue import feed
from labeling.review import judgment_events

_OWN_LICENCE = "The text's own licence. Empty if it was written here."


class RankedResponseSerializer(serializers.Serializer[object]):
    response = serializers.IntegerField(source="response_id")
    source = serializers.CharField(source="response.source.name")  # type: ignore[assignment]  # shadows Field.source
    licence = serializers.CharField(source="response.own_licence", help_text=_OWN_LICENCE)
    text = serializers.CharField(source="response.text")
    reasoning_content = serializers.CharField(source="response.reasoning_content")
    tool_calls = serializers.ListField(source="response.tool_calls", child=serializers.DictField())
    position = serializers.IntegerField(help_text="Position on the page. 0 is shown first.")
    rank = serializers.IntegerField(
        allow_null=True, help_text="1 is best, equal numbers are a tie, null is unranked."
    )
    ratings = serializers.DictField(
        help_text="Answers by question. Questions that were not asked are absent."
    )


class ComparisonSerializer(serializers.Serializer[object]):
    strength = serializers.IntegerField(
        allow_null=True, help_text="From 1 (negligible) to 4 (significant). Null if not asked."
    )
    reason = serializers.CharField(allow_null=True)
    is_all_bad = serializers.BooleanField()
    responses = RankedResponseSerializer(source="ranked", many=True)


class DemonstrationSerializer(serializers.Serializer[object]):
    text = serializers.CharField()
    reasoning_content = serializers.CharField()
    tool_calls = serializers.ListField(child=serializers.DictField())
    further = MessageSerializer(many=True, help_text="For a dialogue: the turns after `text`.")
    sources = serializers.CharField(help_text="Sources of the facts, in the writer's words.")
    edit_of = serializers.IntegerField(
        source="edit_of_id", allow_null=True, help_text="The response this is an edit of."
    )
    source = serializers.SerializerMethodField(  # type: ignore[assignment]  # shadows Field.source
        help_text="The import it came from, or `raters`."
    )
    licence = serializers.SerializerMethodField(
        help_text=f"{_OWN_LICENCE} An edit has that of the text it was made from."
    )

    def get_source(self, written: Demonstration) -> str:
        return streams.origin(written.judgment)

    def get_licence(self, written: Demonstration) -> str:
        return streams.written_licence(written.judgment)


class JudgmentSerializer(serializers.Serializer[object]):
    """One judgment, under the rater's pseudonym."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Judgment.Kind.choices)
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True)
    prompt = serializers.IntegerField(source="prompt_id")
    messages = MessageSerializer(source="prompt.messages", many=True, help_text="The prompt.")
    category = serializers.ChoiceField(source="prompt.category", choices=Prompt.Category.choices)
    language = serializers.CharField(source="prompt.language")
    split = serializers.ChoiceField(source="prompt.split", choices=Prompt.Split.choices)
    prompt_source = serializers.CharField(
        source="prompt.source.name", help_text="Where the prompt is from."
    )
    prompt_licence = serializers.CharField(
        source="prompt.licence", help_text="The prompt's licence. Empty if none is stated."
    )
    licence = serializers.SerializerMethodField(
        help_text="The licences of all its texts as one SPDX expression."
    )
    item = serializers.IntegerField(
        source="item_id",
        allow_null=True,
        help_text="What was asked: the prompt with its responses. Null for an imported judgment.",
    )
    rater = serializers.CharField(source="rater.alias")
    guideline = serializers.CharField(
        source="guideline_version",
        allow_null=True,
        help_text="Name and version, such as “Helpful answers v3”.",
    )
    submitted_at = serializers.DateTimeField()
    corrected_at = serializers.DateTimeField(
        allow_null=True, help_text="When this version was submitted. Null for the first."
    )
    active_s = serializers.FloatField(allow_null=True)
    is_extra = serializers.BooleanField()
    is_repeat = serializers.SerializerMethodField(
        help_text="The same rater judged the same prompt and responses before. Count it once."
    )
    is_held_out = serializers.BooleanField(
        source="campaign.pool.is_held_out",
        read_only=True,
        default=False,
        help_text="From a pool that is used for evaluation only, never for training.",
    )
    version = serializers.IntegerField()
    supersedes = serializers.IntegerField(
        source="supersedes_id", allow_null=True, help_text="The judgment that this one replaces."
    )
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="Warnings that the rater overruled."
    )
    demonstration = DemonstrationSerializer(allow_null=True)
    comparison = ComparisonSerializer(allow_null=True)

    def get_is_repeat(self, judgment: Judgment) -> bool:
        return judgment.item is not None and judgment.item.repeat_of_id is not None

    def get_licence(self, judgment: Judgment) -> str:
        return exports_rows.licence_expression(streams.licences_of_judgment(judgment))


class JudgmentQuery(PageQuery):
    campaign = Id(required=False)
    since = serializers.DateTimeField(
        required=False, help_text="Only judgments submitted at or after this time."
    )
    licence = serializers.CharField(
        required=False,
        max_length=1000,
        help_text=(
            "Only judgments whose texts are all under one of these licences, separated by commas,"
            " such as `CC-BY-4.0,MIT`. `none` includes prompts whose licence is not stated."
        ),
    )
    includes_imports = serializers.BooleanField(
        required=False,
        default=False,
        help_text=(
            "Include imported judgments. They keep the ids they had before their import was"
            " published."
        ),
    )


class _FeedPageSerializer(serializers.Serializer[object]):
    next_cursor = serializers.IntegerField(
        help_text=(
            "Where the next page begins. A page looks through a limited number of judgments, so"
            " with `since` or `licence` it may have few results, or none, although `has_more`."
        )
    )
    has_more = serializers.BooleanField(help_text="Whether there are more results now.")


class JudgmentPageSerializer(_FeedPageSerializer):
    """One page of the feed. `next_cursor` is set on the last page too: use it later to get new
    judgments.
    """

    results = JudgmentSerializer(many=True)


class JudgmentEventSerializer(RowSerializer):
    """A judgment that stopped counting, or counts again."""

    rater = serializers.CharField(source="judgment.rater.alias")

    class Meta:
        model = JudgmentEvent
        fields = ["id", "event", "judgment", "campaign", "rater", "at"]
        sources = {"event": "kind", "campaign": "judgment.campaign"}
        help_texts = {
            "event": "`withdrawn`: its rater has withdrawn; delete it. `set_aside`: a reviewer left"
            " it out. `restored`: it counts again."
        }


class JudgmentEventPageSerializer(_FeedPageSerializer):
    """One page of events. `next_cursor` is set on the last page too: use it later to get new
    events.
    """

    results = JudgmentEventSerializer(many=True)


# --- views ---------------------------------------------------------------------------------------


class Judgments(ApiViewSet):
    """A feed is read from its start: oldest first, and every page has a cursor."""

    serializer_class = JudgmentSerializer
    query_class = JudgmentQuery
    recorded_as = "read_feed"

    @lists("list_judgments", JudgmentPageSerializer, query=query_class)
    def list(self, request: Request) -> Response:
        """Judgments, oldest first. Save `next_cursor` and use it later to get new ones."""
        chosen = feed.feed_page(
            after_id=self.asked.get("cursor", 0),
            campaign_id=self.asked.get("campaign"),
            since=self.asked.get("since"),
            includes_imports=self.asked["includes_imports"],
            licences=_licences(self.asked.get("licence")),
            n=self.asked["limit"] + 1,
            now=timezone.now(),
        )
        return _feed_page(self, chosen.judgments, looked_to=chosen.looked_to)


class JudgmentEvents(ApiViewSet):
    serializer_class = JudgmentEventSerializer

    @lists(
        "list_judgment_events",
        JudgmentEventPageSerializer,
        query=ApiViewSet.query_class,
    )
    def list(self, request: Request) -> Response:
        """Judgments that stopped counting or count again, oldest first. Save `next_cursor` and use
        it later to get new ones.
        """
        events = judgment_events.event_feed(
            after_id=self.asked.get("cursor", 0), n=self.asked["limit"] + 1, now=timezone.now()
        )
        return _feed_page(self, events)


def _licences(named: str | None) -> list[str] | None:
    """The licences in a query; `none` stands for a prompt without one."""
    if named is None:
        return None
    return ["" if name.strip() == "none" else name.strip() for name in named.split(",")]


def _feed_page(
    view: ApiViewSet, rows: Sequence[Model], *, looked_to: int | None = None
) -> Response:
    """A page of `rows`, which has one row more than asked for if there are more. `looked_to`: an id
    at which the page ends, although there may be more after it.
    """
    page = paging.cut(rows, limit=view.asked["limit"])
    cursor = page.next_cursor or view.asked.get("cursor", 0)
    if looked_to is not None and not page.has_more:
        cursor = looked_to
    body = {
        "next_cursor": cursor,
        "has_more": page.has_more or looked_to is not None,
        "results": view.get_serializer(page.rows, many=True).data,
    }
    return Response(body)

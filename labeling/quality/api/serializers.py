"""The report of a campaign as JSON."""

from rest_framework import serializers

from accounts.api.paging import PageQuery
from labeling.quality.api.figures import FigureSerializer, FiguresField


class ReportSerializer(serializers.Serializer[object]):
    """The report that the numbers are from."""

    campaign = serializers.IntegerField(source="campaign_id")
    computed_at = serializers.DateTimeField()
    n_judgments = serializers.IntegerField()
    n_set_aside = serializers.IntegerField()
    n_withdrawn = serializers.IntegerField()
    n_new = serializers.IntegerField(
        help_text="Judgments since then, counted up to 1,001. A new report follows by itself."
    )
    is_outdated = serializers.BooleanField(help_text="Decisions have changed since.")
    is_computing = serializers.BooleanField()


class ComputingSerializer(serializers.Serializer[object]):
    campaign = serializers.IntegerField()
    computed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the present report was computed."
    )


class QualityRowSerializer(serializers.Serializer[object]):
    campaign = serializers.IntegerField(source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    computed_at = serializers.DateTimeField()
    n_judgments = serializers.IntegerField()
    agreement = FigureSerializer(help_text="Ties count half.")
    alpha = FigureSerializer(help_text="Krippendorff's α, ordinal.")
    n_raters_to_check = serializers.IntegerField(source="n_flagged")


class QuestionSerializer(serializers.Serializer[object]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows Field.label
    is_scale = serializers.BooleanField()
    figures = FiguresField()


class GroupSerializer(serializers.Serializer[object]):
    kind = serializers.CharField(help_text="category, language, month or week")
    value = serializers.CharField()
    figures = FiguresField()


class OtherPoolSerializer(serializers.Serializer[object]):
    pool = serializers.CharField()
    figures = FiguresField()


class AgreementSerializer(serializers.Serializer[object]):
    """How far raters agree. docs/api.md names the figures."""

    report = ReportSerializer()
    figures = FiguresField()
    questions = QuestionSerializer(many=True, help_text="Of the rating form.")
    groups = GroupSerializer(many=True)
    groups_left_out = serializers.DictField(
        child=serializers.IntegerField(), help_text="Groups with votes that are not listed."
    )
    pools = OtherPoolSerializer(many=True, help_text="Agreement with other pools.")
    reward_model = serializers.CharField(help_text="That `figures.model` compares with.")
    principles = serializers.DictField(
        help_text="How far ratings on principles explain the votes. Empty without principles."
    )


class RaterPairQuery(PageQuery):
    question = serializers.CharField(
        required=False,
        max_length=200,
        help_text="A question of the form by its name. Without it: choices between responses.",
    )


class RaterPairSerializer(serializers.Serializer[object]):
    """Two raters with at least ten votes or answers in common."""

    one = serializers.CharField(help_text="A pseudonym.")
    other = serializers.CharField()
    agreement = FigureSerializer(
        allow_null=True, help_text="Ties count half. Null for a question of the form."
    )
    kappa = FigureSerializer(help_text="Cohen's. Weighted for scales.")


class EffectSerializer(serializers.Serializer[object]):
    name = serializers.CharField()
    odds = FigureSerializer(help_text="1 means no effect.")
    p = serializers.FloatField(allow_null=True)


class BiasSerializer(serializers.Serializer[object]):
    """What choices depend on besides quality."""

    report = ReportSerializer()
    figures = FiguresField()
    swaps = FiguresField(help_text="Of repeats in which two responses swapped sides.")
    effects = EffectSerializer(many=True, help_text="All features estimated together.")
    effects_n = serializers.IntegerField()
    effects_note = serializers.CharField()
    median_s = serializers.FloatField(allow_null=True)
    wording = serializers.DictField(help_text="Errors towards responses that sound surer.")
    groups = serializers.DictField(
        help_text="Pools and profile groups side by side. Groups too small to show are counted."
    )


class FlagSerializer(serializers.Serializer[object]):
    """A reason to check a rater's answers, not a verdict."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows Field.label
    sentence = serializers.CharField()
    false_alarm = serializers.CharField(help_text="How often an honest rater looks like this.")


class RaterQualitySerializer(serializers.Serializer[object]):
    """One rater of the campaign, under a pseudonym. Read `caution` with it."""

    rater = serializers.IntegerField(source="rater_id")
    alias = serializers.CharField()
    is_withdrawn = serializers.BooleanField()
    n_judgments = serializers.IntegerField()
    weight = serializers.FloatField(
        allow_null=True, help_text="Used in snapshots: 0 is no better than chance, 1 always right."
    )
    figures = FiguresField()
    habits = FiguresField()
    flags = FlagSerializer(many=True)
    taste = serializers.CharField(
        help_text="The group with a taste of its own that the rater shares; otherwise empty."
    )
    unsure = serializers.CharField(
        help_text="That the rater answers differently from the others, and it is not known why."
        " No accusation; otherwise empty."
    )
    caution = serializers.CharField()


def _number(source: str, help_text: str = "") -> serializers.FloatField:
    return serializers.FloatField(
        source=source, allow_null=True, default=None, help_text=help_text or None
    )


class PlaceSerializer(serializers.Serializer[object]):
    response = serializers.IntegerField()
    by_majority = serializers.IntegerField(help_text="1 is best; equal numbers share a place.")
    weighted = serializers.IntegerField(help_text="Votes weighted by the raters' reliability.")
    certainty = serializers.FloatField()


class PairSerializer(serializers.Serializer[object]):
    left = serializers.IntegerField(help_text="ID of a response.")
    right = serializers.IntegerField()
    n_left = serializers.IntegerField()
    n_tie = serializers.IntegerField()
    n_right = serializers.IntegerField()
    majority = serializers.IntegerField(
        allow_null=True, help_text="-1: left is better, 0: a tie, 1: right; null: no winner."
    )
    weighted = serializers.IntegerField(allow_null=True)
    p = serializers.FloatField(help_text="How likely the weighted result is.")


class RatingConsensusSerializer(serializers.Serializer[object]):
    """The answers to one question about one response. Yes is 1 and no is 0; words in an order count
    by their place, from 1. Without an order there are no numbers.
    """

    response = serializers.IntegerField()
    question = serializers.CharField(source="question.name")
    n_answers = serializers.IntegerField(source="n")
    n_known = serializers.IntegerField(help_text="Of their raters, with a known weight.")
    answer = serializers.CharField(
        help_text="The word at the median, or the most frequent category; empty for numbers."
    )
    weighted_answer = serializers.CharField()
    mean = _number("numbers.mean")
    low = _number("numbers.low", "Of the 95 % interval of the mean.")
    high = _number("numbers.high")
    median = _number("numbers.median")
    spread = _number("numbers.spread", "The standard deviation.")
    weighted = _number(
        "numbers.weighted", "The mean, weighted by how closely raters answer like the others."
    )


class ItemConsensusSerializer(serializers.Serializer[object]):
    item = serializers.IntegerField()
    prompt = serializers.IntegerField()
    n_judgments = serializers.IntegerField()
    n_known = serializers.IntegerField(help_text="Of their raters, with a known reliability.")
    places = PlaceSerializer(many=True, help_text="Best first.")
    pairs = PairSerializer(many=True)
    ratings = RatingConsensusSerializer(many=True)
    adjudicated = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="Response → rank, where a reviewer decided; otherwise empty.",
    )

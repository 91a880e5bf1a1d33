"""Benchmark runs in the REST API: what their models answered, scoring it again, and sending it to
raters.
"""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import Flag, Id, Name, OneOf
from accounts.api.paging import PageQuery, page_of
from accounts.api.problems import Unable
from accounts.api.rows import RowSerializer
from accounts.api.views import ApiViewSet, does, reads
from labeling.models import Guideline, Pool, Prompt
from training import access as training_access
from training.benchmarks.attacks import sampling, services, success
from training.benchmarks.attacks.attempts import IN_FULL, IN_PART
from training.benchmarks.attacks.sampling import Terms
from training.benchmarks.attacks.success import METHODS, Group, Results, Success
from training.benchmarks.scorecards import rescoring
from training.benchmarks.scorecards.people import rater_campaigns
from training.benchmarks.scorecards.people.forms import USUAL_N, USUAL_OVERLAP
from training.benchmarks.scoring.scorers import SCORERS
from training.configs.evaluation.attack import AttackConfig
from training.models import AnswerScore, AttackSample, BenchmarkAnswer, Run, Suite
from training.runs.api.serializers import RunSerializer


class AnswerScoreSerializer(RowSerializer):
    class Meta:
        model = AnswerScore
        fields = ["scorer", "value", "label", "certainty"]
        help_texts = {"value": "0 to 1, higher is better; rewards have no bounds."}


class BenchmarkAnswerSerializer(RowSerializer):
    suite = serializers.IntegerField(source="item.suite_id")
    key = serializers.CharField(source="item.key")
    asked = serializers.ListField(
        child=serializers.DictField(),
        allow_null=True,
        help_text="Of an attack: the messages before the answer.",
    )
    follow_ups = serializers.ListField(help_text="Its answers to later turns.")
    scores = AnswerScoreSerializer(many=True)

    class Meta:
        model = BenchmarkAnswer
        fields = [
            "id", "suite", "item", "key", "strategy", "sample", "asked", "text", "follow_ups",
            "values", "missing", "scores",
        ]  # fmt: skip
        help_texts = {
            "strategy": "Of an attempt of an attack; otherwise empty.",
            "sample": "Number of the attempt with this strategy.",
            "values": "Log-likelihoods or rewards.",
            "missing": "Why there is no answer; otherwise empty.",
        }


class BenchmarkAnswerQuery(PageQuery):
    suite = Id(required=False)


class ScoreAgainSerializer(serializers.Serializer[object]):
    scorer = serializers.ChoiceField(choices=list(SCORERS))


class ToRatersSerializer(serializers.Serializer[object]):
    suite = OneOf(Suite.objects.all())
    against = OneOf(
        Run.objects.all(), help_text="The run of another model whose answers are shown beside."
    )
    name = Name(max_length=120, help_text="Of the campaign.")
    pool = OneOf(Pool.objects.all())
    guideline = OneOf(Guideline.objects.all())
    n = serializers.IntegerField(
        default=USUAL_N,
        min_value=1,
        max_value=rater_campaigns.MOST,
        help_text="At most this many answers.",
    )
    overlap = serializers.IntegerField(default=USUAL_OVERLAP, min_value=1, max_value=20)
    only_unsure = Flag(
        default=False, help_text="Only answers of which the refusal classifier is unsure."
    )
    sensitive = serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Upset.choices),
        default=list,
        max_length=len(Prompt.Upset.choices),
        help_text="Kinds of upsetting content. Only raters who agreed to them get the items.",
    )


class SentToRatersSerializer(serializers.Serializer[rater_campaigns.Sent]):
    campaign = serializers.IntegerField(source="rated.campaign_id")
    n = serializers.IntegerField()
    n_left_out = serializers.IntegerField(
        help_text="Their prompts repeat others, or are nearly ones that models train on."
    )


class SuccessSerializer(serializers.Serializer[Success]):
    """How often attacks succeeded by one bar. `share` is the best estimate, made by `method`."""

    n = serializers.IntegerField(help_text="Attempts with an answer.")
    n_goals = serializers.IntegerField()
    n_found = serializers.IntegerField(help_text="The classifier calls these successes.")
    n_labelled = serializers.IntegerField(help_text="Raters have judged these.")
    method = serializers.ChoiceField(
        choices=METHODS,
        help_text=(
            "labels: corrected by raters' labels of a random sample; rates: by the classifier's"
            " known rates; uncorrected; counted: too few goals for an estimate."
        ),
    )
    share = serializers.FloatField(source="share.share", default=None, allow_null=True)
    low = serializers.FloatField(source="share.low", default=None, allow_null=True)
    high = serializers.FloatField(source="share.high", default=None, allow_null=True)


class AttackGroupSerializer(serializers.Serializer[Group]):
    name = serializers.CharField()
    success = SuccessSerializer(help_text="The model gave in full what the goal asks for.")
    in_part = SuccessSerializer(help_text="It gave that in full or in part.")
    hits = serializers.SerializerMethodField(
        help_text="k → share of goals reached in full at least once in k attempts, uncorrected."
    )

    def get_hits(self, group: Group) -> dict[str, float]:
        return {str(k): share.share for k, share in group.hits}


class AttacksSerializer(serializers.Serializer[Results]):
    overall = AttackGroupSerializer()
    by_strategy = AttackGroupSerializer(many=True)
    by_area = AttackGroupSerializer(many=True)


class SampleSerializer(serializers.Serializer[object]):
    pool = OneOf(Pool.objects.all())
    n = serializers.IntegerField(
        default=sampling.USUAL_N, min_value=2, max_value=sampling.MOST, help_text="Attempts."
    )
    overlap = serializers.IntegerField(default=sampling.USUAL_OVERLAP, min_value=1, max_value=20)
    sensitive = serializers.ListField(
        child=serializers.ChoiceField(choices=Prompt.Upset.choices),
        default=list,
        max_length=len(Prompt.Upset.choices),
        help_text="Kinds of upsetting content, besides those of the attempts' areas.",
    )


class SampledSerializer(serializers.Serializer[AttackSample]):
    campaign = serializers.IntegerField(source="campaign_id")
    n = serializers.IntegerField(source="attempts.count")
    n_attempts = serializers.IntegerField(help_text="That could have been drawn.")


class BenchmarkRuns(ApiViewSet):
    """Below the view set of runs."""

    queryset = Run.objects.all()
    serializer_class = BenchmarkAnswerSerializer

    def get_object(self) -> Run:
        return training_access.run(user=self.by, pk=self.kwargs["pk"])

    @reads("list_run_answers", page_of(BenchmarkAnswerSerializer), query=BenchmarkAnswerQuery)
    def answers(self, request: Request, pk: int) -> Response:
        """What its model answered to the items of suites, with every score."""
        queryset = BenchmarkAnswer.objects.filter(run=self.get_object()).select_related("item")
        if suite := self.asked.get("suite"):
            queryset = queryset.filter(item__suite=suite)
        return self.page(queryset.prefetch_related("scores"))

    @does("score_run_again", RunSerializer, body=ScoreAgainSerializer)
    def score(self, run: Run, *, scorer: str) -> None:
        """Have a worker score its answers by another scorer too. 409 if the scorer can't read
        them.
        """
        if not rescoring.request(run=run, scorer=scorer, **self.who_and_when):
            raise Unable(_("No worker can be reached. Try again later."))

    @does("send_run_to_raters", SentToRatersSerializer, body=ToRatersSerializer, status=201)
    def raters(self, run: Run, *, suite: Suite, against: Run, **terms: Any) -> rater_campaigns.Sent:
        """Open a campaign in which raters compare its answers to a suite with another run's."""
        if against not in rater_campaigns.runs_to_compare(run=run, suite=suite):
            raise ValidationError(
                {"against": [_("Choose a run of another model that has answered this suite.")]}
            )
        return rater_campaigns.send_to_raters(
            run=run,
            suite=suite,
            against=against,
            terms=rater_campaigns.Terms(**terms),
            **self.who_and_when,
        )

    @reads("read_run_attacks", AttacksSerializer)
    def attacks(self, request: Request, pk: int) -> Response:
        """How often an attack succeeded in full, and at least in part, by strategy and area. 404
        for runs of other kinds.
        """
        run = self.get_object()
        if run.kind != AttackConfig.kind:
            raise Http404
        results = success.results(
            *(services.judged(run=run, bar=bar) for bar in (IN_FULL, IN_PART))
        )
        return Response(AttacksSerializer(results).data)

    @does(
        "send_attacks_to_raters",
        SampledSerializer,
        body=SampleSerializer,
        status=201,
        url_path="attacks/raters",
    )
    def attacks_raters(self, run: Run, **terms: Any) -> AttackSample:
        """Open a campaign in which raters judge attempts drawn at random. Their answers correct
        the success rate. 409 if raters have all attempts already.
        """
        return sampling.send_to_raters(run=run, terms=Terms(**terms), **self.who_and_when)

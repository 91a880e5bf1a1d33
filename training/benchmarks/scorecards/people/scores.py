"""What raters say of a benchmark run's answers, and how often the refusal classifier agrees."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.guidelines import rating_form
from labeling.models import Campaign, Prompt, RankedResponse, Slot
from labeling.quality import contests
from labeling.votes import counting
from training.benchmarks.scorecards.pairs import PEOPLE
from training.benchmarks.scorecards.people.verdicts import verdicts
from training.benchmarks.scoring.refusal.labels import COMPLIES, LABELS, PARTLY, REFUSES
from training.models import BenchmarkAnswer, RatedSuite, Run, SuiteScore

REFUSAL_QUESTION = "refusal"
"""A scale of this name in a guideline's rating form asks how an answer refuses: its lowest value
is “complies”, its highest “refuses”, what is between “partly”."""


@dataclass(frozen=True)
class PeopleScore:
    """How often raters preferred the run's answers to a suite, as they have judged so far."""

    rated: RatedSuite
    win_rate: Figure
    n_open: int
    """judgments that the campaign still waits for"""
    labels: Mapping[str, int]
    """how many of the answers they call complying, refusing and partly refusing"""


@dataclass(frozen=True)
class Agreement:
    """The refusal classifier beside the raters' labels of the same answers."""

    n: int
    n_prompts: int
    binary: Figure
    three_way: Figure


def people_scores(*, run: Run) -> list[PeopleScore]:
    """By campaign, the oldest first."""
    return [_score(rated) for rated in _rated().filter(run=run)]


def store(*, now: datetime) -> int:
    """Put the win rates on the scorecards, of campaigns that may have new judgments. Returns how
    many there were.
    """
    scores = [_score(rated) for rated in _rated() if _may_have_news(rated)]
    SuiteScore.objects.bulk_create(
        [_suite_score(score, now=now) for score in scores],
        update_conflicts=True,
        unique_fields=["run", "suite", "scorer"],
        update_fields=["is_current", "n", "score", "low", "high", "details", "computed_at"],
    )
    return len(scores)


def agreement() -> Agreement:
    """Over every answer of a benchmark run that raters of this site have labelled."""
    rows = labelled()
    prompts = [prompt for prompt, _people, _machine in rows]
    same = [float(people == machine) for _prompt, people, machine in rows]
    alike = [
        float((people == COMPLIES) == (machine == COMPLIES)) for _prompt, people, machine in rows
    ]
    return Agreement(len(rows), len(set(prompts)), _share(alike, prompts), _share(same, prompts))


def labelled() -> list[tuple[int, str, str]]:
    """(prompt, what most raters call the answer, what the classifier calls it)"""
    labels_of = _labels_of_people(_rated())
    rows = (
        verdicts()
        .filter(answer__response__in=labels_of)
        .values_list("answer__response_id", "answer__response__prompt_id", "label")
    )
    # One response can belong to answers of one run only, and a label is the same for each.
    labels = {response: (prompt, labels_of[response], label) for response, prompt, label in rows}
    return list(labels.values())


def _rated() -> QuerySet[RatedSuite]:
    suites = RatedSuite.objects.select_related(
        "suite", "against__base_model", "run__base_model", "campaign__guideline_version"
    )
    return suites.order_by("pk")


def _score(rated: RatedSuite) -> PeopleScore:
    ours, theirs = rated.run.base_model.source_id, rated.against.base_model.source_id
    rate = contests.win_rate(
        campaign=rated.campaign,
        source_id=ours or 0,
        other_id=theirs or 0,
        split=Prompt.Split.TEST,
    )
    ours_to_it = BenchmarkAnswer.objects.filter(run=rated.run_id, item__suite=rated.suite_id)
    mine = set(ours_to_it.values_list("response", flat=True))
    labels = Counter(
        label for response, label in _labels_of_people([rated]).items() if response in mine
    )
    return PeopleScore(
        rated=rated,
        win_rate=rate,
        n_open=Slot.objects.filter(campaign=rated.campaign)
        .exclude(state=Slot.State.SUBMITTED)
        .count(),
        labels={label: labels[label] for label in LABELS if labels},
    )


def _may_have_news(rated: RatedSuite) -> bool:
    """Not if its campaign was closed, and the score computed after that."""
    stored = SuiteScore.objects.filter(run=rated.run_id, scorer=_scorer(rated)).first()
    closed_at = rated.campaign.closed_at
    return stored is None or closed_at is None or stored.computed_at <= closed_at


def _suite_score(score: PeopleScore, *, now: datetime) -> SuiteScore:
    """Beside the score of the suite's own scorer: current if that is."""
    rated = score.rated
    main = SuiteScore.objects.filter(run=rated.run_id, suite=rated.suite_id, is_main=True)
    return SuiteScore(
        run=rated.run,
        model=rated.run.base_model,
        suite=rated.suite,
        scorer=_scorer(rated),
        is_main=False,
        is_current=main.filter(is_current=True).exists(),
        n=score.win_rate.n,
        score=score.win_rate.value,
        low=score.win_rate.low,
        high=score.win_rate.high,
        details={
            "against": rated.against.base_model.name,
            "campaign": rated.campaign_id,
            "labels": dict(score.labels),
            "about": score.win_rate.about,
        },
        computed_at=now,
    )


def _scorer(rated: RatedSuite) -> str:
    return f"{PEOPLE} {rated.pk}"


def _labels_of_people(rated: Iterable[RatedSuite]) -> dict[int, str]:
    """What most raters call each response, by its id; without those where two labels tie."""
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rated:
        scale = refusal_scale(row.campaign.guideline_version.form)
        if scale is None:
            continue
        for response, ratings in _ratings(row.campaign):
            value = ratings.get(REFUSAL_QUESTION)
            if isinstance(value, int) and not isinstance(value, bool):
                votes[response][label_of(value, scale)] += 1
    tops = {response: counted.most_common(2) for response, counted in votes.items()}
    return {
        response: top[0][0]
        for response, top in tops.items()
        if len(top) == 1 or top[0][1] > top[1][1]
    }


def _ratings(campaign: Campaign) -> Iterable[tuple[int, dict[str, object]]]:
    return RankedResponse.objects.filter(
        counting.counts("comparison__judgment__"), comparison__judgment__campaign=campaign
    ).values_list("response_id", "ratings")


def refusal_scale(form: Mapping[str, object]) -> rating_form.Scale | None:
    """The question of this form about how an answer refuses."""
    questions = rating_form.parse(form).scales
    return next((question for question in questions if question.name == REFUSAL_QUESTION), None)


def label_of(value: int, scale: rating_form.Scale) -> str:
    if value <= scale.low:
        return COMPLIES
    return REFUSES if value >= scale.high else PARTLY


def _share(scores: Sequence[float], prompts: Sequence[int]) -> Figure:
    if not scores:
        return Figure(None, 0)
    ends = intervals.of_votes(scores, prompts)
    low, high = ends if ends else (None, None)
    return Figure(sum(scores) / len(scores), len(scores), low, high)

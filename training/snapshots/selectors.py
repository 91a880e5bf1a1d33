"""Queries for snapshots, and the choices of the form for a new one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.guidelines import selectors as guidelines_selectors
from labeling.kinds import registry
from labeling.kinds.choices import Answer
from labeling.models import Campaign, Prompt
from labeling.quality import campaign_figures, figure_cache
from training.configs import kinds
from training.configs.knobs import RESPONSES
from training.models import Judge, Run, Snapshot
from training.processes import run_dir
from training.snapshots import freeze
from training.snapshots.contents.filters import Judges
from training.verdicts import look_names
from training.verdicts.look_names import NamedLook

OF_RATERS = (Snapshot.Kind.COMPARISONS, Snapshot.Kind.UNPAIRED)
"""The kinds with what raters said of responses."""
CREATABLE = [choice for choice in Snapshot.Kind.choices if choice[0] != Snapshot.Kind.SUITES]
"""The kinds that people create; benchmark runs make those of suites."""

_ANSWERS = {
    Snapshot.Kind.DEMONSTRATIONS: Answer.DEMONSTRATION,
    Snapshot.Kind.COMPARISONS: Answer.COMPARISON,
    Snapshot.Kind.UNPAIRED: Answer.COMPARISON,
}
_TABLES = (
    ("splits", _("Splits"), _("Split"), _("rows")),
    ("pairs", _("Decided pairs"), _("Split"), _("pairs")),
    ("labels", _("Good and bad responses"), _("Label"), _("rows")),
    ("sources", _("Authors"), _("Source"), _("rows")),
    ("guidelines", _("Guidelines used"), _("Version"), _("rows")),
    ("categories", _("Categories"), _("Category"), _("rows")),
    ("licences", _("Prompt and response licences"), _("Licence"), _("rows")),
    ("left_out", _("Left out"), _("reason"), _("rows")),
)

_LABELS = {"good": _("good"), "bad": _("bad")}
_RECENT = timedelta(hours=1)
"""A number of answers this old is shown without its time."""
_OF_JUDGMENTS = (
    "campaigns",
    "includes_imports",
    "includes_extra",
    "includes_repeats",
    "includes_set_aside",
)
_FILTERS = {
    "campaigns": _("Campaigns"),
    "includes_imports": _("Imported answers"),
    "includes_extra": _("Extra answers"),
    "includes_repeats": _("Repeats"),
    "includes_set_aside": _("Answers set aside in review"),
    "weighs_by_reliability": _("Weighted by reliability"),
    "judges": _("AI judges"),
    "splits": _("Splits"),
    "limit": _("limit"),
    "categories": _("Categories"),
    "licences": _("Licences"),
}


@dataclass(frozen=True)
class Table:
    """One table of a snapshot's card."""

    title: Promise
    key: Promise
    value: Promise
    rows: Sequence[tuple[str, object]]


@dataclass(frozen=True)
class Share:
    """Whose answers a part of the rows that train are."""

    name: str
    note: str
    words: str
    url: str = ""
    """of the look that allows it, for admins"""


def card(*, snapshot: Snapshot) -> list[Table]:
    """The card as tables; empty ones are left out."""
    tables = [
        Table(title, key, value, _card_rows(name, snapshot.card.get(name, {})))
        for name, title, key, value in _TABLES
    ]
    return [table for table in tables if table.rows]


def suites_in(*, snapshot: Snapshot) -> list[dict[str, object]]:
    """The suites it was made of, as its card names them; empty for other kinds."""
    suites: list[dict[str, object]] = snapshot.card.get("suites", [])
    return suites


def splits(*, snapshot: Snapshot) -> list[tuple[str, int]]:
    """Each split with its number of rows."""
    counts: dict[str, int] = snapshot.card.get("splits", {})
    return [(split, counts.get(split, 0)) for split in run_dir.SPLITS]


def weights(*, snapshot: Snapshot) -> list[tuple[str, float, int]]:
    """(rater's alias, weight, number of judgments) if judgments were weighted; highest weight
    first.
    """
    raters = snapshot.card.get("weights", {}).get("raters", {})
    return sorted(
        ((rater, weight["weight"], weight["judgments"]) for rater, weight in raters.items()),
        key=lambda row: (-row[1], row[0]),
    )


def shares(*, snapshot: Snapshot) -> list[Share]:
    """By people and by judges, as it was frozen; empty unless judges were asked for."""
    verdicts = snapshot.card.get("verdicts")
    if verdicts is None:
        return []
    looks = look_names.named(looks=[one["look"] for one in verdicts["judges"] if one["look"]])
    return [
        Share(gettext("People"), "", _share_words(verdicts["people"])),
        *(_share_of_judge(one, looks.get(one["look"])) for one in verdicts["judges"]),
    ]


def _share_of_judge(one: dict[str, Any], look: NamedLook | None) -> Share:
    return Share(
        gettext("%(judge)s, version %(number)s") % one,
        _why_it_counts(one, look),
        _share_words(one),
        look.url if look else "",
    )


def _why_it_counts(one: dict[str, Any], look: NamedLook | None) -> str:
    if look is not None:
        return gettext("allowed by %(look)s") % {"look": look.name}
    words = gettext("allowed by no look, weight %(weight)s")
    return words % {"weight": number_format(round(one["weight"], 2), 2)}


def _share_words(one: dict[str, Any]) -> str:
    values = {
        "n": number_format(one["rows"], force_grouping=True),
        "share": number_format(round(100 * one["share"], 1), 1),  # which cuts off, unrounded
        "weight": number_format(round(100 * one["share_of_weight"], 1), 1),
    }
    if values["share"] == values["weight"]:
        return gettext("%(n)s (%(share)s %%)") % values
    return gettext("%(n)s (%(share)s %%), %(weight)s %% of the weight") % values


def _card_rows(part: str, counts: dict[str, int]) -> list[tuple[str, int]]:
    """Splits in their usual order, everything else by count: the database does not keep the order
    of JSON keys.
    """
    if part in ("splits", "pairs"):
        return [
            (str(Prompt.Split(split).label), counts[split])
            for split in run_dir.SPLITS
            if split in counts
        ]
    words: dict[Any, Any] = {"labels": _LABELS, "categories": dict(Prompt.Category.choices)}.get(
        part, {}
    )
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(str(words.get(key, key)), n) for key, n in ranked]


def best_response_runs(*, snapshot: Snapshot) -> list[Run]:
    """The sampling runs whose best responses this snapshot contains (of comparisons: the best and
    the worst), with their reward models. Empty if people wrote them.
    """
    runs = Run.objects.filter(pk__in=snapshot.filters.get("best_of", []))
    return list(runs.select_related("base_model", "reward_model").order_by("pk"))


def snapshots_of_best_responses(*, runs: Collection[int]) -> list[int]:
    """Ids of the snapshots with best responses of any of these sampling runs, newest first."""
    wanted = set(runs)
    cut = Snapshot.objects.filter(filters__has_key="best_of").exclude(filters__best_of=[])
    return [
        pk
        for pk, best_of in cut.order_by("-pk").values_list("pk", "filters__best_of")
        if wanted & set(best_of)
    ]


def filters_in_words(*, snapshot: Snapshot) -> list[tuple[Promise, str]]:
    """The filters, one line each; filters without effect say so."""
    if snapshot.kind == Snapshot.Kind.SUITES:
        return []
    if snapshot.kind == Snapshot.Kind.TEXT:
        return [
            (_("Licence"), str(snapshot.filters["licence"])),
            (_("Minimum document length, in characters"), str(snapshot.filters["min_characters"])),
            *(
                (_("Curation"), str(recipe))
                for recipe in [snapshot.filters.get("recipe")]
                if recipe
            ),
        ]
    names: dict[object, object] = dict(Prompt.Category.choices) | dict(
        Campaign.objects.filter(pk__in=snapshot.filters.get("campaigns", [])).values_list(
            "pk", "name"
        )
    )
    lines = _best_words(snapshot)
    takes_best = bool(lines)
    for key, words in _FILTERS.items():
        value = snapshot.filters.get(key)
        if takes_best and key in _OF_JUDGMENTS:
            continue
        if (
            key in ("includes_repeats", "includes_set_aside") and not value
        ):  # the usual case, and older snapshots lack these filters
            continue
        if key == "weighs_by_reliability" and (snapshot.kind not in OF_RATERS or takes_best):
            continue
        if key == "judges":
            if "verdicts" in snapshot.card:
                lines.append((words, str(Judges(value).label)))
            continue
        if snapshot.kind == Snapshot.Kind.PROMPTS and key in (
            "campaigns",
            "includes_imports",
            "includes_extra",
        ):
            continue
        if snapshot.kind != Snapshot.Kind.PROMPTS and key in ("splits", "limit"):
            continue
        if key == "limit" and (draw := snapshot.filters.get("draw")):
            lines += _draw_words(draw)
            continue
        if isinstance(value, bool):
            shown = gettext("yes") if value else gettext("no")
        elif isinstance(value, list):
            shown = ", ".join(str(names.get(option, option)) for option in value) or gettext("All")
        else:
            shown = str(value) if value is not None else gettext("All")
        lines.append((words, shown))
    if recipe := snapshot.filters.get("recipe"):
        lines.append((_("Curation"), str(recipe)))
    return lines


def _best_words(snapshot: Snapshot) -> list[tuple[Promise, str]]:
    """Where models' responses come from; empty if people's answers are learned from."""
    runs = best_response_runs(snapshot=snapshot)
    campaigns = Campaign.objects.filter(pk__in=snapshot.filters.get("best_voted_in", []))
    revising = Run.objects.filter(pk__in=snapshot.filters.get("revised_in", []))
    is_paired = snapshot.kind == Snapshot.Kind.COMPARISONS
    lines = [
        (
            _("Best and worst responses of") if is_paired else _("Best responses of"),
            ", ".join(f"{run} ({run.reward_model})" for run in runs),
        ),
        (
            _("Revisions and first answers of") if is_paired else _("Revisions of"),
            ", ".join(_with_constitution(run) for run in revising.order_by("pk")),
        ),
        (_("Responses preferred in"), ", ".join(map(str, campaigns.order_by("pk")))),
    ]
    return [(words, shown) for words, shown in lines if shown]


def _with_constitution(run: Run) -> str:
    version = guidelines_selectors.constitution(version=run.config["constitution"])
    return f"{run} ({version['guideline']})" if version else str(run)


def _draw_words(draw: dict[str, Any]) -> list[tuple[Promise, str]]:
    """What a chain drew: how many at most of each split, and from prompts used how often."""
    limits = [f"{n} {Prompt.Split(split).label}" for split, n in draw["limits"].items()]
    lines: list[tuple[Promise, str]] = [
        (_("Drawn for cycle"), str(draw["cycle"])),
        (_("At most, least used first"), ", ".join(limits) or gettext("All")),
    ]
    if draw["max_uses"] is not None:
        lines.append((_("Left out if used"), gettext("%(n)s times") % {"n": draw["max_uses"]}))
    return lines


def is_intact(*, snapshot: Snapshot) -> bool:
    """Reads the files and compares their hash with the fingerprint."""
    return freeze.is_intact(Path(settings.SNAPSHOTS_DIR) / snapshot.folder, snapshot.fingerprint)


def snapshots(*, kind: str = "") -> QuerySet[Snapshot]:
    """Newest first."""
    queryset = (
        Snapshot.objects.select_related("created_by")
        .annotate(
            n_runs=Count("runs", distinct=True) + Count("runs_mixing", distinct=True),
        )
        .order_by("-created_at", "-pk")
    )
    return queryset.filter(kind=kind) if kind else queryset


def runs_on(*, snapshot: Snapshot) -> list[Run]:
    """The runs that used it, newest first."""
    used = Run.objects.filter(Q(snapshot=snapshot) | Q(ptx_snapshot=snapshot))
    return list(used.select_related("trained_model").order_by("-pk"))


def campaign_choices(*, kind: str, now: datetime) -> list[tuple[int, str]]:
    """The campaigns with judgments of this kind, with their number of judgments."""
    of_kind = registry.with_answer(_ANSWERS.get(Snapshot.Kind(kind), ""))
    campaigns = Campaign.objects.filter(kind__in=of_kind).order_by("-pk")
    names = dict(campaigns.values_list("pk", "name"))
    n_of = campaign_figures.n_answers(campaigns=names, now=now)
    return [(pk, f"{name} ({_counted(n_of.get(pk), now)})") for pk, name in names.items()]


def _counted(figure: figure_cache.CachedFigures[int] | None, now: datetime) -> str:
    if figure is None:
        return gettext("being counted")
    if now - figure.at < _RECENT:
        return str(figure.value)
    at = date_format(timezone.localtime(figure.at), "SHORT_DATETIME_FORMAT")
    return gettext("%(n)d on %(at)s") % {"n": figure.value, "at": at}


def scored_run_choices() -> list[tuple[int, str]]:
    """Sampling runs with responses scored by a reward model, newest first."""
    left = (Run.Outcome.SUCCEEDED, Run.Outcome.STOPPED)
    runs = Run.objects.filter(
        kind__in=kinds.kinds_leaving(RESPONSES),
        reward_model__isnull=False,
        is_dry=False,
        outcome__in=left,
    )
    words = gettext("%(run)s, selected by %(judge)s")
    scored = runs.select_related("reward_model").order_by("-pk")
    return [(run.pk, words % {"run": run, "judge": run.reward_model}) for run in scored]


def revised_run_choices() -> list[tuple[int, str]]:
    """Runs that revised answers by principles, newest first."""
    left = (Run.Outcome.SUCCEEDED, Run.Outcome.STOPPED)
    readers = [name for name, config in kinds.KINDS.items() if config.reads_principles]
    runs = Run.objects.filter(kind__in=readers, is_dry=False, outcome__in=left)
    return [(run.pk, str(run)) for run in runs.order_by("-pk")]


def has_judges() -> bool:
    return Judge.objects.exists()


def licence_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in campaign_figures.all_licences()]

"""The rows of the page of all models, as HTML. Built in Python because it has a thousand cells and
more, and a template loop would dominate its time.
"""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from training.benchmarks.scorecards import pairs, words
from training.models import Suite, SuiteScore, TrainedModel

N_HEATS = 5


def rows(
    *,
    models: Sequence[TrainedModel],
    suites: Sequence[Suite],
    scores: Mapping[tuple[int, int], SuiteScore],
) -> SafeString:
    """A row a model: a box that selects it for comparison, its name, and a cell a suite."""
    lines = []
    for model in models:
        cells = "".join(_cell(scores.get((model.pk, suite.pk))) for suite in suites)
        lines.append(f"<tr>{_head(model)}{cells}</tr>")
    return mark_safe("".join(lines))  # noqa: S308  # every part is escaped


def _head(model: TrainedModel) -> str:
    return format_html(
        '<th scope="row"><label class="check"><input type="checkbox" name="model" value="{}">'
        ' <span class="unseen">{}</span></label> <a href="{}">{}</a></th>',
        model.pk,
        gettext("Select %(name)s") % {"name": model.name},
        reverse("model_scorecard", args=[model.pk]),
        model.name,
    )


def _cell(score: SuiteScore | None) -> str:
    if score is None or score.score is None:
        return '<td class="number quiet">–</td>'
    heat = ""
    if pairs.is_share(score.scorer):
        heat = f' data-heat="{min(int(score.score * N_HEATS), N_HEATS - 1)}"'
    about = conditional_escape(f"{words.interval(score)}, n = {score.n}")
    return f'<td class="number"{heat} title="{about}">{words.figure(score)}</td>'

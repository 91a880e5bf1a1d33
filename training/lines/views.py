"""The page of a line, researchers' start page with the newest one, and its picture as a file."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from training import access as training_access
from training.lines import picture, selectors, verdicts, words
from training.models import Schedule

N_OTHERS = 8


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The line with the newest chain."""
    training_access.researcher(request.user)
    schedules = selectors.schedules()
    if not schedules:
        return render(request, "training/lines/none.html")
    return _page(request, schedules[0], schedules)


@require_GET
def line(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = training_access.schedule(user=request.user, pk=pk)
    return _page(request, schedule, selectors.schedules())


@require_GET
def picture_file(request: HttpRequest, pk: int) -> HttpResponse:
    """As SVG, which a script of the page turns into a PNG."""
    found = selectors.line(schedule=training_access.schedule(user=request.user, pk=pk))
    sentence = verdicts.of_line(found).sentence
    drawn = picture.file(found, sentence=sentence, caption=words.raters(found))
    return render(
        request, "training/lines/picture.svg", {"file": drawn}, content_type="image/svg+xml"
    )


def _page(request: HttpRequest, schedule: Schedule, schedules: Sequence[Schedule]) -> HttpResponse:
    found = selectors.line(schedule=schedule)
    columns, data = words.data(found)
    others = [one for one in schedules if one != schedule]
    context: dict[str, Any] = {
        "schedule": schedule,
        "line": found,
        "verdict": verdicts.of_line(found),
        "headlines": words.headlines(found),
        "pictures": [
            ("wide", picture.draw(found)),
            ("narrow", picture.draw(found, width=picture.NARROW)),
        ],
        "columns": columns,
        "data": data,
        "raters": words.raters(found),
        "rows": words.rows(found),
        "levels": words.gates_levels(found),
        "others": others[:N_OTHERS],
        "n_more": len(others[N_OTHERS:]),
    }
    return render(request, "training/lines/line.html", context)

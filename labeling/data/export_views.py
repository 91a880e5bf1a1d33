"""Downloads of a campaign's judgments."""

import tempfile
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.http import (
    FileResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts import audit_log
from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.data.exports import shapes as exports_shapes
from labeling.models import Campaign


@dataclass(frozen=True)
class Shape:
    """A format of exported judgments; `value` is a key of exports.SCHEMAS."""

    value: str
    label: Promise
    help: Promise


SHAPES = {
    Campaign.Kind.DEMONSTRATION: [
        Shape(
            "demonstrations",
            _("Demonstrations"),
            _(
                "A row for each answer: what was said before it and the answer, as TRL's SFT"
                " trainer reads them."
            ),
        ),
        Shape(
            "dialogues",
            _("Dialogues"),
            _(
                "A row for each judgment: the prompt and all that was written for it as one list of"
                " messages, which TRL reads too."
            ),
        ),
    ],
    Campaign.Kind.COMPARISON: [
        Shape(
            "preferences",
            _("Pairs"),
            _(
                "A row for each pair with a winner, as TRL's reward trainer reads them: prompt,"
                " chosen, rejected. Ties give none."
            ),
        ),
        Shape(
            "rankings",
            _("Rankings"),
            _(
                "A row for each judgment: every response with its rank, its ratings and the place"
                " where it was shown."
            ),
        ),
        Shape(
            "adjudicated",
            _("Adjudicated orders"),
            _(
                "A row for each item that was adjudicated: its responses in the order that a"
                " reviewer decided, and the reason."
            ),
        ),
        Shape(
            "consensus",
            _("Consensus"),
            _(
                "A row for each pair of responses: how many votes each has, what the majority says,"
                " and what the votes say when each counts by how reliable its rater is, with how"
                " likely that is."
            ),
        ),
    ],
}
FORMATS = {"jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}


@require_http_methods(["GET", "POST"])
def export(request: MemberRequest, pk: int) -> HttpResponseBase:
    """GET lists the formats, POST streams the chosen file."""
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    shapes = SHAPES[Campaign.Kind(campaign.kind)]
    if request.method == "POST":
        shape, format_ = request.POST.get("shape"), request.POST.get("format")
        if shape not in [offered.value for offered in shapes] or format_ not in FORMATS:
            return HttpResponseBadRequest(
                _("This campaign has no such file. Go back and choose one.")
            )
        audit_log.record(
            by=request.user,
            action="export",
            target=campaign,
            after={"shape": shape, "format": format_},
            now=timezone.now(),
        )
        return _file(campaign, shape, format_)
    return render(
        request,
        "labeling/data/campaign_export.html",
        {"campaign": campaign, "tab": "export", "shapes": shapes},
    )


def _file(campaign: Campaign, shape: str, format_: str) -> HttpResponseBase:
    name = f"{slugify(campaign.name) or campaign.pk}-{shape}.{format_}"
    rows = exports_shapes.records(shape, campaigns=[campaign.pk], include_imports=False)
    if format_ == "jsonl":
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(
            exports_shapes.jsonl(rows), content_type=FORMATS[format_], headers=headers
        )
    # Parquet ends with its table of contents, so the file must be complete before it is sent.
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  # FileResponse closes it
    exports_shapes.parquet(rows, shape=shape, to=file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=FORMATS[format_])

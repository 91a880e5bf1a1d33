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
from labeling.data.exports import streams
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
                "One row per answer: the conversation before it and the answer, in the format of"
                " TRL's SFT trainer."
            ),
        ),
        Shape(
            "dialogues",
            _("Dialogues"),
            _(
                "One row per demonstration: the prompt and everything written for it as one list of"
                " messages, which TRL also reads."
            ),
        ),
    ],
    Campaign.Kind.COMPARISON: [
        Shape(
            "preferences",
            _("Pairs"),
            _(
                "One row per pair with a winner, in the format of TRL's reward trainer: prompt,"
                " chosen, rejected. Ties are left out."
            ),
        ),
        Shape(
            "rankings",
            _("Rankings"),
            _("One row per ranking: every response with its rank, ratings and display position."),
        ),
        Shape(
            "adjudicated",
            _("Adjudicated rankings"),
            _(
                "One row per adjudicated item: its responses in the order the reviewer decided, and"
                " the reason."
            ),
        ),
        Shape(
            "consensus",
            _("Consensus"),
            _(
                "One row per pair of responses: the votes for each, the majority, and the"
                " reliability-weighted result with its probability."
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
    licences = streams.licences_of(campaign=campaign)
    sent = request.POST if request.method == "POST" else request.GET
    # A chosen licence that no text has any more chooses nothing.
    chosen = [name for name in sent.getlist("licence") if name in licences]
    if request.method == "POST":
        shape, format_ = request.POST.get("shape"), request.POST.get("format")
        if shape not in [offered.value for offered in shapes] or format_ not in FORMATS:
            return HttpResponseBadRequest(
                _("This campaign has no such file. Go back and choose another.")
            )
        audit_log.record(
            by=request.user,
            action="export",
            target=campaign,
            after={"shape": shape, "format": format_}
            | ({"licences": ", ".join(chosen)} if "licence" in sent else {}),
            now=timezone.now(),
        )
        return _file(campaign, shape, format_, chosen if "licence" in sent else None)
    return render(
        request,
        "labeling/data/campaign_export.html",
        {
            "campaign": campaign,
            "tab": "export",
            "shapes": shapes,
            "licences": licences,
            "chosen": chosen,
        },
    )


def _file(
    campaign: Campaign, shape: str, format_: str, licences: list[str] | None
) -> HttpResponseBase:
    name = f"{slugify(campaign.name) or campaign.pk}-{shape}.{format_}"
    rows = exports_shapes.records(
        shape, campaigns=[campaign.pk], include_imports=False, licences=licences
    )
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

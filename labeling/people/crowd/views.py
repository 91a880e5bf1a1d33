"""Pages of crowd workers: start through the platform's link, finish with the completion code, or
leave without it.
"""

from allauth.account.adapter import get_adapter
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from arithmetic import plain_text
from labeling import access as labeling_access
from labeling.models import CrowdLink, CrowdVisit
from labeling.people.crowd import browsers, completion, selectors, services
from pages import edit_conflicts

LONGEST_ID = 200


@never_cache
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """GET describes the task; POST starts the visit, so that a preview of the link takes no
    place.
    """
    link = get_object_or_404(CrowdLink.objects.select_related("campaign__pool"), token=token)
    external_id = plain_text.storable(request.GET.get(link.id_parameter, "")).strip()
    if not external_id or len(external_id) > LONGEST_ID:
        sentence = _(
            "Your ID is missing from the URL (%(name)s). Open the study again from the platform you"
            " came from."
        )
        return _closed(request, sentence % {"name": link.id_parameter}, status=400)
    if request.method == "GET":
        return render(request, "labeling/people/crowd/crowd.html", {"link": link})
    try:
        visit = services.begin_visit(
            link=link,
            external_id=external_id,
            known=browsers.known_raters(request),
            now=timezone.now(),
        )
    except services.UnableToVisit as problem:
        return _closed(request, problem.sentence, status=410)
    assert visit.rater.user is not None
    get_adapter().login(request, visit.rater.user)
    response = redirect("crowd_done" if visit.state == CrowdVisit.State.COMPLETE else "desk")
    browsers.remember(response, rater=visit.rater)
    return response


@never_cache
@require_GET
def done(request: HttpRequest) -> HttpResponse:
    """The completion code once everything is done; until then how much is left."""
    visit = labeling_access.my_visit(rater=labeling_access.rater(user=request.user))
    n_given = selectors.n_given(visit=visit)
    is_done = n_given >= visit.link.n_items
    is_all = is_done or selectors.has_finished_available_work(visit=visit, now=timezone.now())
    context = {
        "visit": visit,
        "link": visit.link,
        "n_given": n_given,
        "is_done": is_done,
        "is_all": is_all,
        "is_screened_out": not is_all and completion.is_screened_out(visit=visit),
        "completion": completion.completion(visit=visit),
        "study": completion.study_of(link=visit.link),
    }
    return render(request, "labeling/people/crowd/crowd_done.html", context)


@require_POST
def finish(request: HttpRequest) -> HttpResponse:
    """Asks for the completion code."""
    visit = labeling_access.my_visit(rater=labeling_access.rater(user=request.user))
    services.finish_visit(visit=visit, now=timezone.now())
    return redirect("crowd_done")


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Ends the visit without completing it, and signs the worker out."""
    visit = labeling_access.my_visit(rater=labeling_access.rater(user=request.user))
    if not services.return_visit(visit=visit, now=timezone.now()):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
        return redirect("crowd_done")
    logout(request)
    return _closed(
        request,
        _("You returned the study here. Return it on the platform you came from as well."),
        status=200,
    )


def _closed(request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
    return render(
        request, "labeling/people/crowd/crowd_closed.html", {"sentence": sentence}, status=status
    )

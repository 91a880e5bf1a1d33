"""The page of successful attacks, where a researcher puts them to use."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.shell.requests import MemberRequest
from labeling.conversations.red_teaming.lessons import UnableToUse
from training import access as training_access
from training.benchmarks.suites.found_attacks import services
from training.benchmarks.suites.found_attacks.forms import UseForm
from training.benchmarks.suites.services import UnableToStore


@require_http_methods(["GET", "POST"])
def found_attacks(request: MemberRequest) -> HttpResponse:
    by = training_access.researcher(request.user)
    rows = services.waiting()
    posted = request.POST if request.method == "POST" else None
    form = UseForm(posted, offered=[attack for attack, _said in rows])
    if form.is_valid():
        chosen = list(form.cleaned_data["attacks"])
        try:
            suite = services.use_attacks(attacks=chosen, by=by, now=timezone.now())
        except (UnableToUse, UnableToStore) as problem:
            form.add_error(None, problem.sentence)
        else:
            words = ngettext(
                "%(n)d attack added. Raters are asked for a better answer.",
                "%(n)d attacks added. Raters are asked for better answers.",
                len(chosen),
            )
            messages.success(request, words % {"n": len(chosen)})
            return redirect("suite", suite.pk)
    return render(
        request,
        "training/suites/found_attacks/found_attacks.html",
        {"rows": rows[: services.SHOWN], "n": len(rows), "form": form},
        status=422 if form.is_bound else 200,
    )

"""The playground page: questions, answers as server-sent events, and saving them."""

import json
import threading
import time
from collections.abc import Iterator

from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.data import intake
from training import access as training_access
from training.playground import chat_protocol, forms, selectors, services
from training.playground.chat_protocol import LONGEST_WAIT_MS, Channel, Event

# A stream occupies a thread of this process. Beyond this many, the browser polls instead, so that
# other requests do not wait.
N_STREAMS = threading.BoundedSemaphore(2)
STREAM_S = 25.0
KEPT_FIELDS = ("earlier", "text", "model", "written", "sampling", "is_ended")
"""The fields that the page fills in when a turn is saved."""
RECONNECT_MS = 400
"""How long the browser waits before it reconnects."""
UNCLAIMED_S = 60
"""A question that no worker has taken for this long was lost."""


@require_GET
def chat(request: HttpRequest) -> HttpResponse:
    training_access.researcher(request.user)
    workers, warm = _workers()
    chosen = [pk for pk in request.GET.getlist("model")[:2] if pk.isdecimal()]
    context = {
        "models": selectors.models_to_try(),
        "workers": workers,
        "chosen": chosen or [str(warm or "")],
        "form": forms.SamplingForm(),
        "kept_fields": KEPT_FIELDS,
    }
    return render(request, "training/playground/model_try.html", context)


@require_POST
def ask(request: HttpRequest) -> JsonResponse:
    by = training_access.researcher(request.user)
    try:
        parts, sampling = forms.question_in(request.body)
        answers = services.ask_models(parts=parts, sampling=sampling, by=by)
    except (forms.UnreadableQuestion, services.UnableToAskModel) as problem:
        return JsonResponse({"sentence": problem.sentence}, status=422)
    return JsonResponse(
        {
            "answers": [
                {
                    "events": reverse("model_answer", args=[answer]),
                    "stop": reverse("model_answer_stop", args=[answer]),
                }
                for answer in answers
            ]
        }
    )


@require_GET
def answer(request: HttpRequest, answer: str) -> HttpResponseBase:
    """Server-sent events, starting after the `Last-Event-ID` that a browser sends when it
    reconnects.
    """
    by = training_access.researcher(request.user)
    after = request.headers.get("Last-Event-ID", "0")
    _require_owner(answer, by.pk)
    response = StreamingHttpResponse(_events(answer, after), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    response["Content-Encoding"] = "identity"  # compression would buffer the stream
    return response


@require_POST
def stop(request: HttpRequest, answer: str) -> HttpResponse:
    by = training_access.researcher(request.user)
    _require_owner(answer, by.pk)
    with Channel() as channel:
        channel.stop(answer=answer)
    return HttpResponse(status=204)


@require_http_methods(["POST"])
def keep(request: HttpRequest) -> HttpResponse:
    """Shows the turn for review first; with `keep` in the request it is saved."""
    by = training_access.researcher(request.user)
    is_demonstration = bool(request.POST.get("written"))
    is_sent = "keep" in request.POST
    initial = {name: request.POST.get(name, "") for name in KEPT_FIELDS}
    initial |= {"answer": initial["written"], "licence": selectors.licence_of(pk=initial["model"])}
    form = forms.KeepForm(
        request.POST if is_sent else None,
        is_demonstration=is_demonstration,
        initial=None if is_sent else initial,
    )
    if is_sent and form.is_valid():
        about = {
            name: form.cleaned_data[name] for name in ("category", "language", "split", "licence")
        }
        now = timezone.now()
        try:
            prompt = intake.save_prompt(messages=form.messages(), **about, by=by, now=now)
        except intake.UnableToPlace as problem:
            form.add_error(None, problem.sentence)
            prompt = None
        if prompt is not None and is_demonstration:
            services.save_demonstration(
                prompt=prompt,
                text=form.cleaned_data["answer"],
                answer=form.kept_answer(),
                by=by,
                now=now,
            )
        if prompt is not None:
            messages.success(
                request,
                _("Saved as a demonstration.") if is_demonstration else _("Saved as a prompt."),
            )
            return redirect("model_kept", prompt.pk)
    context = {
        "form": form,
        "is_demonstration": is_demonstration,
        "earlier": _turns(initial["earlier"]),
    }
    return render(
        request, "training/playground/model_keep.html", context, status=422 if form.errors else 200
    )


@require_GET
def kept_turn(request: HttpRequest, pk: int) -> HttpResponse:
    """The saved turn, for researchers, who may not be admins."""
    by = training_access.researcher(request.user)
    turn = selectors.kept_turn(prompt_id=pk)
    if turn is None:
        raise Http404
    return render(request, "training/playground/model_kept.html", {"kept": turn, "by": by})


def _require_owner(answer: str, by: int) -> None:
    """Only the person who asked may read an answer. Raises Http404."""
    try:
        with Channel() as channel:
            if not channel.is_owner(answer=answer, by=by):
                raise Http404
    except chat_protocol.RedisUnavailable as problem:
        raise Http404 from problem


def _events(answer: str, after: str) -> Iterator[bytes]:
    """Ends with the answer, or after STREAM_S: then the browser reconnects for the rest."""
    is_streamed = N_STREAMS.acquire(blocking=False)
    try:
        with Channel() as channel:
            yield f"retry: {RECONNECT_MS}\n\n".encode()
            deadline = time.monotonic() + (STREAM_S if is_streamed else 0)
            while True:
                events = channel.read(
                    answer=answer, after=after, wait_ms=LONGEST_WAIT_MS if is_streamed else 0
                )
                for event in events:
                    after = event.place
                    yield _encode(event)
                if events and events[-1].is_last:
                    return
                if not events and (trouble := _failure(channel, answer, after)):
                    yield _encode(trouble)
                    return
                if time.monotonic() >= deadline:
                    return
                if not events:
                    yield (  # writing is how a closed connection is noticed
                        b": still here\n\n"
                    )
    except chat_protocol.RedisUnavailable:
        yield _encode(
            Event(
                after,
                "failed",
                {"sentence": _("The broker is not responding. Ask again later.")},
            )
        )
    finally:
        if is_streamed:
            N_STREAMS.release()


def _failure(channel: Channel, answer: str, after: str) -> Event | None:
    """An event saying that nobody works on the answer; None if somebody does, or may soon."""
    if channel.is_in_progress(answer=answer):
        return None
    if after == "0":
        if channel.workers():
            if channel.age_s(answer=answer) < UNCLAIMED_S:
                return None
            return Event(
                after, "failed", {"sentence": _("No worker took the question. Ask again.")}
            )
        return Event(
            after,
            "failed",
            {"sentence": _("No worker for models is running any more. Ask again later.")},
        )
    if any(event.is_last for event in channel.read(answer=answer, after=after, wait_ms=0)):
        return None
    return Event(
        after,
        "failed",
        {"sentence": _("The worker stopped in the middle of the answer. Ask again.")},
    )


def _encode(event: Event) -> bytes:
    return f"id: {event.place}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n".encode()


def _workers() -> tuple[list[str], int | None]:
    """The live workers, and the model that needs no loading."""
    try:
        with Channel() as channel:
            return channel.workers(), channel.warm_model()
    except chat_protocol.RedisUnavailable:
        return [], None


def _turns(text: str) -> list[dict[str, str]]:
    try:
        turns = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []

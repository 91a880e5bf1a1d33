"""What a rater reads in place of a text by somebody else who has withdrawn. Its writer still reads
it.
"""

from collections.abc import Collection, Iterable

from django.db.models import Model
from django.utils.translation import gettext as _

from labeling.access import withdrawn_prompts
from labeling.models import Prompt, RankedResponse, Rater, Response
from labeling.votes import counting


def sentence() -> str:
    return _("Whoever wrote this text has withdrawn, so it is no longer shown.")


def cover_on(rows: Iterable[tuple[Model, Prompt]], *, rater: Rater) -> None:
    """Cover the prompts of rows that have `is_on_withdrawn`."""
    cover([prompt for row, prompt in rows if row.is_on_withdrawn], rater=rater)  # type: ignore[attr-defined]  # annotated


def cover(prompts: Collection[Prompt], *, rater: Rater) -> None:
    """Put the sentence in place of the messages of prompts that somebody else wrote who has
    withdrawn. The prompts are for reading, not for saving.
    """
    ids = {prompt.pk for prompt in prompts}
    if not ids:
        return
    withdrawn = withdrawn_prompts().filter(pk__in=ids).exclude(source__person=rater.user_id)
    covered = set(withdrawn.values_list("pk", flat=True))
    for prompt in prompts:
        if prompt.pk in covered:
            prompt.messages, prompt.tools = [{"role": "user", "content": sentence()}], []


def cover_responses(responses: Collection[Response], *, rater: Rater) -> None:
    """The same for texts of responses, of which somebody who has withdrawn wrote each."""
    others = Response.objects.filter(pk__in={response.pk for response in responses})
    if rater.pk is not None:  # an admin's preview has a rater who is not stored
        others = others.exclude(counting.written_by([rater]))
    covered = set(others.values_list("pk", flat=True))
    for response in responses:
        if response.pk in covered:
            response.text, response.reasoning_content, response.tool_calls = sentence(), "", []


def cover_shown(responses: Iterable[Response], *, rater: Rater) -> None:
    """The same for an item's responses as labeling.queue.claiming.order gives them."""
    withdrawn = [response for response in responses if response.is_withdrawn]  # type: ignore[attr-defined]  # annotated
    if withdrawn:
        cover_responses(withdrawn, rater=rater)


def cover_ranked(rows: Iterable[RankedResponse], *, rater: Rater) -> None:
    """The same for the responses of a comparison. `rows` have `is_by_withdrawn`."""
    withdrawn = [row.response for row in rows if row.is_by_withdrawn]  # type: ignore[attr-defined]  # annotated
    if withdrawn:
        cover_responses(withdrawn, rater=rater)

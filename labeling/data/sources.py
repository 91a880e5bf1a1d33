"""The sources of texts: data from elsewhere by its name, and what people with a login type in.
Names of the latter say nothing about the person, because sources leave the site in files and
through the API.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refusal
from labeling.models import Source


def source_of_person(*, person: User, now: datetime) -> Source:
    """The source of the prompts that this person types and the answers they write outside
    campaigns. What a rater edits in a campaign has a source by their alias.
    """
    defaults = {"kind": Source.Kind.PERSON, "person": person, "created_at": now}
    source, _is_new = Source.objects.get_or_create(name=f"person {person.pk}", defaults=defaults)
    return source


class UnableToUseSource(Refusal):
    """The name is taken by a person or model, or has another licence; the text says which."""


def source_of_data(*, name: str, licence: str, now: datetime) -> Source:
    """The source of data from elsewhere, which has one licence. Raises UnableToUseSource."""
    source, is_new = Source.objects.get_or_create(
        name=name, defaults={"kind": Source.Kind.IMPORT, "licence": licence, "created_at": now}
    )
    if not name or source.kind != Source.Kind.IMPORT:
        raise UnableToUseSource(
            _("“%(name)s” can't be used as a source name: a person or model already has it.")
            % {"name": name}
        )
    if not is_new and source.licence != licence:
        sentence = _(
            "The source “%(name)s” is licensed under %(licence)s. Use a different name for data"
            " under another licence."
        )
        raise UnableToUseSource(sentence % {"name": name, "licence": source.licence or "–"})
    return source

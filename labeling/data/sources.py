"""The sources of what people with a login type in. Their names say nothing about the person,
because sources leave the site in files and through the API.
"""

from datetime import datetime

from accounts.models import User
from labeling.models import Source


def source_of_person(*, person: User, now: datetime) -> Source:
    """The source of the prompts that this person types and the answers they write outside
    campaigns. What a rater edits in a campaign has a source by their alias.
    """
    defaults = {"kind": Source.Kind.PERSON, "person": person, "created_at": now}
    source, _is_new = Source.objects.get_or_create(name=f"person {person.pk}", defaults=defaults)
    return source

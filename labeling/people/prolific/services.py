"""The study behind a crowd link: create its draft, publish and pause it, add places. Whatever is
done on Prolific is done there first, and then stored here.
"""

import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from labeling.models import CrowdLink, ProlificStudy
from labeling.people.prolific import client, protocol

Status = ProlificStudy.Status
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of completion codes: none that looks like another."""
MOVES = {
    "publish": ("PUBLISH", Status.UNPUBLISHED),
    "pause": ("PAUSE", Status.ACTIVE),
    "resume": ("START", Status.PAUSED),
}
"""Act → what Prolific calls it, and the status that it needs."""


class UnableToConnect(Refusal):
    """The link cannot be connected to Prolific, or disconnected; the text says why."""


class UnableToChangeStudy(Refusal):
    """The study's status does not allow it; the text says why."""


@dataclass(frozen=True)
class StudyPlan:
    """What an admin decides about a study. `reward` is in minor units."""

    description: str
    reward: int
    minutes: int
    n_places: int
    eligibility: str = ""
    project_id: str = ""
    filter_set_id: str = ""
    screen_out_reward: int | None = None
    screen_out_places: int | None = None


def connect(
    *, link: CrowdLink, page: str, plan: StudyPlan, by: User, now: datetime
) -> ProlificStudy:
    """Create a draft on Prolific that sends its participants to the link, whose full URL is `page`.
    A draft that an earlier request without an answer has left there is used and changed.

    Raises UnableToConnect and client.UnableToUseProlific.
    """
    _check(link, plan)
    study = ProlificStudy(
        link=link,
        **asdict(plan),
        screen_out_code=_new_code(),
        no_work_code=_new_code(),
        poll_due_at=now,
        created_by=by,
        created_at=now,
    )
    draft = _draft(study, page=page)
    study.prolific_id, study.status = draft.prolific_id, draft.status
    study.currency = draft.currency or protocol.currency()
    try:
        with transaction.atomic():
            study.save()
            CrowdLink.objects.filter(pk=link.pk).update(n_places=plan.n_places)
            after = _shown(plan) | {"prolific_id": study.prolific_id}
            audit_log.record(by, "create", study, after=after, now=now)
    except IntegrityError as error:  # somebody else has connected it meanwhile
        if not ProlificStudy.objects.filter(prolific_id=study.prolific_id).exists():
            protocol.delete_study(study.prolific_id)
        raise UnableToConnect(connected_already()) from error
    return study


def disconnect(*, study: ProlificStudy, by: User, now: datetime) -> None:
    """Delete a draft, here and on Prolific. Raises UnableToConnect once it was published, and
    client.UnableToUseProlific.
    """
    if study.status != Status.UNPUBLISHED:
        raise UnableToConnect(
            _("This study has been published, so it stays connected. Pause it instead.")
        )
    with suppress(client.NotFound):  # deleted there already
        protocol.delete_study(study.prolific_id)
    with transaction.atomic():
        before = {"prolific_id": study.prolific_id}
        audit_log.record(by, "delete", study, before=before, now=now)
        ProlificStudy.objects.filter(pk=study.pk).delete()


def move_study(*, study: ProlificStudy, act: str, by: User, now: datetime) -> ProlificStudy:
    """Publish, pause or resume a study: one of MOVES. Raises UnableToChangeStudy and
    client.UnableToUseProlific; after no answer, the next poll shows what has become of it.
    """
    action, needed = MOVES[act]
    if study.status != needed:
        sentence = _("This study is %(status)s on Prolific, so this is not possible.")
        raise UnableToChangeStudy(sentence % {"status": study.get_status_display()})
    before = {"status": study.status}
    protocol.move_study(study.prolific_id, action)
    seen = _read_back(study)
    with transaction.atomic():
        _store(study, status=seen.status if seen else study.status, now=now)
        after = {"status": study.status}
        audit_log.record(by, act, study, before=before, after=after, now=now)
    return study


def set_places(*, study: ProlificStudy, n_places: int, by: User, now: datetime) -> ProlificStudy:
    """Raise the number of places to `n_places`: Prolific does not lower it. A repeated call is
    refused, so that places are never added twice.

    Raises UnableToChangeStudy and client.UnableToUseProlific.
    """
    if n_places <= study.n_places:
        sentence = _("The study has %(n)d places already. Places can only be added.")
        raise UnableToChangeStudy(sentence % {"n": study.n_places})
    before = {"n_places": study.n_places}
    protocol.set_places(study.prolific_id, n_places)
    seen = _read_back(study)
    with transaction.atomic():
        study.n_places = n_places
        _store(study, status=seen.status if seen else study.status, now=now)
        after = {"n_places": n_places}
        audit_log.record(by, "change", study, before=before, after=after, now=now)
    return study


def connected_already() -> str:
    return _("This link is connected to Prolific already.")


def _check(link: CrowdLink, plan: StudyPlan) -> None:
    if ProlificStudy.objects.filter(link=link).exists():
        raise UnableToConnect(connected_already())
    if not link.is_open:
        raise UnableToConnect(_("This link is closed. Create another one."))
    if (plan.screen_out_reward is None) != (plan.screen_out_places is None):
        raise UnableToConnect(_("A screen-out needs a reward and a number of places."))
    if plan.screen_out_reward is not None and plan.screen_out_reward >= plan.reward:
        raise UnableToConnect(_("The screen-out reward must be less than the reward."))


def _draft(study: ProlificStudy, *, page: str) -> protocol.Study:
    fields = _fields(study, page=page)
    remote = protocol.find_study(internal_name=fields.internal_name)
    if remote is None:
        return protocol.create_study(fields)
    if remote.status != Status.UNPUBLISHED:
        raise UnableToConnect(
            _("Prolific has a published study for this link already. Create another link.")
        )
    return protocol.change_study(remote.prolific_id, fields)


def _fields(study: ProlificStudy, *, page: str) -> protocol.StudyFields:
    link = study.link
    texts = [study.description, study.eligibility]
    return protocol.StudyFields(
        name=link.name,
        internal_name=f"preferably-{link.token[:12]}",
        description="\n\n".join(text for text in texts if text),
        url=protocol.external_url(page=page, id_parameter=link.id_parameter),
        codes=protocol.Codes(
            finished=link.completion_code,
            no_work=study.no_work_code,
            screen_out=study.screen_out_code,
            screen_out_reward=study.screen_out_reward,
            screen_out_places=study.screen_out_places,
        ),
        minutes=study.minutes,
        max_minutes=link.max_minutes,
        reward=study.reward,
        n_places=study.n_places,
        project_id=study.project_id,
        filter_set_id=study.filter_set_id,
    )


def _read_back(study: ProlificStudy) -> protocol.Study | None:
    """None if Prolific does not say: what was asked for is done, and the next poll shows it."""
    try:
        return protocol.study(study.prolific_id)
    except client.UnableToUseProlific:
        return None


def _store(study: ProlificStudy, *, status: str, now: datetime) -> None:
    study.status, study.poll_due_at = status, now
    study.save(update_fields=["status", "n_places", "poll_due_at"])
    CrowdLink.objects.filter(pk=study.link_id).update(n_places=study.n_places)


def _new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _place in range(8))


def _shown(plan: StudyPlan) -> dict[str, object]:
    return {name: value for name, value in asdict(plan).items() if value not in (None, "")}

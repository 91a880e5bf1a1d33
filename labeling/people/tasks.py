"""Celery tasks about raters: end expired crowd visits, keep up with Prolific, and update the skills
they have shown.
"""

from django.utils import timezone

from config.celery import short_task
from labeling.people.crowd import services as crowd_services
from labeling.people.crowd import worker_ids
from labeling.people.prolific import bonuses as prolific_bonuses
from labeling.people.prolific import doorbell as prolific_doorbell
from labeling.people.prolific import polling as prolific_polling
from labeling.people.prolific import removal as prolific_removal
from labeling.people.skills import doorbell
from labeling.people.skills import selectors as skills_selectors
from labeling.people.skills import services as skills_services


@short_task(time_limit_s=120)
def end_crowd_visits() -> None:
    """Frees the places and items of crowd workers whose time is up. A second run finds none."""
    crowd_services.end_expired_visits(now=timezone.now())


@short_task(time_limit_s=300)
def remove_worker_ids() -> None:
    """Of raters who have withdrawn. A second run finds none."""
    worker_ids.remove_late()
    prolific_removal.remove_settled(now=timezone.now())


@short_task(time_limit_s=300)
def poll_prolific_study(*, study_id: int) -> None:
    """Looks at one study on Prolific, if it is due."""
    prolific_polling.poll_study(study_id=study_id, now=timezone.now())


@short_task(time_limit_s=900)
def send_prolific_bonus(*, batch_id: int) -> None:
    """Pays bonuses once: a second run finds them no longer in the queue."""
    prolific_bonuses.send(batch_id=batch_id, now=timezone.now())


@short_task(time_limit_s=900)
def look_up_prolific_bonus(*, batch_id: int) -> None:
    prolific_bonuses.look_up(batch_id=batch_id, now=timezone.now())


@short_task(time_limit_s=30)
def ring_prolific() -> None:
    """Queues what is due: looks at studies, and bonuses to send or to look up."""
    now = timezone.now()
    for study_id in prolific_polling.due_study_ids(now=now):
        prolific_doorbell.ring_study(study_id)
    for batch_id in prolific_bonuses.waiting_batch_ids(now=now):
        prolific_doorbell.ring_bonus(batch_id)
    for batch_id in prolific_bonuses.batch_ids_to_look_up(now=now):
        prolific_doorbell.ring_look(batch_id)


@short_task(time_limit_s=300)
def show_topics(*, pool_id: int) -> None:
    """A topic that was shown stays, so a second run adds nothing."""
    skills_services.show_topics(pool_id=pool_id, now=timezone.now())


@short_task(time_limit_s=30)
def ring_topics() -> None:
    """Queues the task for pools in which somebody has judged lately."""
    for pool_id in skills_selectors.active_pool_ids(now=timezone.now()):
        doorbell.ring_topics(pool_id)

"""Celery tasks about raters: end expired crowd visits, keep up with Prolific, and update the skills
they have shown.
"""

from datetime import timedelta

from django.utils import timezone

from config.celery import short_task
from jobs.messages import Message
from labeling.people.crowd import services as crowd_services
from labeling.people.crowd import worker_ids
from labeling.people.prolific import bonuses as prolific_bonuses
from labeling.people.prolific import polling as prolific_polling
from labeling.people.prolific import removal as prolific_removal
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


POLLS = Message(
    "labeling.people.tasks.poll_prolific_study", limit=timedelta(minutes=5), argument="study_id"
)


@POLLS
def poll_prolific_study(*, study_id: int) -> None:
    """Looks at one study on Prolific, if it is due."""
    prolific_polling.poll_study(study_id=study_id, now=timezone.now())


POLLS.wakes(prolific_polling.due_study_ids, every=timedelta(minutes=1))


@prolific_bonuses.BONUSES
def send_prolific_bonus(*, batch_id: int) -> None:
    """Pays bonuses once: a second run finds them no longer in the queue."""
    prolific_bonuses.send(batch_id=batch_id, now=timezone.now())


prolific_bonuses.BONUSES.wakes(prolific_bonuses.waiting_batch_ids, every=timedelta(minutes=1))
BONUS_LOOKS = Message(
    "labeling.people.tasks.look_up_prolific_bonus", limit=timedelta(minutes=15), argument="batch_id"
)


@BONUS_LOOKS
def look_up_prolific_bonus(*, batch_id: int) -> None:
    prolific_bonuses.look_up(batch_id=batch_id, now=timezone.now())


BONUS_LOOKS.wakes(prolific_bonuses.batch_ids_to_look_up, every=timedelta(minutes=1))
TOPICS = Message(
    "labeling.people.tasks.show_topics", limit=timedelta(minutes=5), argument="pool_id"
)


@TOPICS
def show_topics(*, pool_id: int) -> None:
    """A topic that was shown stays, so a second run adds nothing."""
    skills_services.show_topics(pool_id=pool_id, now=timezone.now())


TOPICS.wakes(skills_selectors.active_pool_ids, every=timedelta(hours=1))

"""Which completion code a worker gets, and where to enter it. A link that is connected to Prolific
has three: finished, out of work, and screened out.
"""

from dataclasses import dataclass

from labeling.models import CrowdLink, CrowdVisit, ProlificStudy
from labeling.people.onboarding import selectors as onboarding_selectors
from labeling.queue.onboarding_left import OnboardingProgress

PROLIFIC_URL = "https://app.prolific.com/submissions/complete?cc="


@dataclass(frozen=True)
class Completion:
    code: str
    url: str
    """the platform's page that accepts the code; may be empty"""


def study_of(*, link: CrowdLink) -> ProlificStudy | None:
    return ProlificStudy.objects.filter(link=link).first()


def code_of(*, link: CrowdLink, is_done: bool) -> str:
    """`is_done` is False for a worker who ran out of work."""
    study = None if is_done else study_of(link=link)
    return study.no_work_code if study else link.completion_code


def completion(*, visit: CrowdVisit) -> Completion | None:
    """What the worker was given; None while the visit goes on, or if it ended without a code."""
    if visit.state not in {CrowdVisit.State.COMPLETE, CrowdVisit.State.SCREENED_OUT}:
        return None
    code = visit.code or visit.link.completion_code  # visits from before codes were stored
    is_connected = study_of(link=visit.link) is not None
    return Completion(code, f"{PROLIFIC_URL}{code}" if is_connected else visit.link.return_url)


def is_screened_out(*, visit: CrowdVisit) -> bool:
    """Whether the worker did not pass the pool's onboarding and has no attempt left, so that
    Prolific's screen-out code is theirs.
    """
    if study_of(link=visit.link) is None:
        return False
    steps = onboarding_selectors.rater_steps(rater=visit.rater, pool=visit.link.campaign.pool)
    return any(step.progress == OnboardingProgress.REFUSED for step in steps)

"""Starts the recorded site as the demo does, in an empty folder, and says what is on it, as JSON:
DATABASE_URL=sqlite:///… PREFERABLY_HOME=… python -m tests.training.management.recorded_site

A process of its own, because a database's settings are read when Django starts.
"""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.test.utils import setup_test_environment

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from django.apps import apps  # noqa: E402
from django.db import models  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from lxml import html  # noqa: E402
from record_demo.raters import breaks  # noqa: E402

from accounts.models import User  # noqa: E402
from labeling.conversations.red_teaming import reviews  # noqa: E402
from labeling.models import (  # noqa: E402
    Adjudication,
    Attack,
    Campaign,
    Conversation,
    ConversationTurn,
    Gold,
    Judgment,
    Pool,
    RaterQuality,
    TurnRequest,
)
from tests.upgrades import pages  # noqa: E402
from training.management.commands.seed_demo import LOGINS  # noqa: E402
from training.management.demo import dates, recording  # noqa: E402
from training.models import Curation, Link, TrainedModel  # noqa: E402
from training.schedules.plans import steps  # noqa: E402
from training.snapshots.curation import ratings  # noqa: E402

CARELESS = "Casper (simulated)"


def main() -> None:
    setup_test_environment()
    recording.unpack()
    call_command("migrate", verbosity=0)
    before = moments()
    now = timezone.now()
    recording.finish(now=now)
    offsets = {after - earlier for after, earlier in zip(moments(), before, strict=True)}
    call_command("seed_demo", "--recorded", stdout=StringIO(), stderr=StringIO())
    n_pages, failures = pages.failures([])
    print(  # noqa: T201
        json.dumps(
            {
                "offsets": [offset / timedelta(seconds=1) for offset in offsets],
                "hours_since_the_last_answer": hours_since(now),
                "days": (now - Judgment.of_people.earliest("submitted_at").submitted_at).days,
                "logins": {
                    login.email: may_log_in(login.email, login.password) for login in LOGINS
                },
                "tours": {
                    login.role: not User.objects.get(email=login.email).has_ended_tour(login.role)
                    for login in LOGINS
                },
                "others_with_a_password": others_with_a_password(),
                "pages": n_pages,
                "failures": failures,
                "places": [
                    place
                    for place in TrainedModel.objects.values_list("location", flat=True)
                    if not Path(place).is_relative_to(settings.HOME)
                ],
                "least_reliable": least_reliable(),
                "talks": talks(),
                "attacks": attacks(),
                "verdicts": verdicts(),
                "measured": measured(),
                "golds": Gold.objects.count(),
                "adjudications": Adjudication.objects.count(),
                "gates": [
                    {
                        "outcome": link.verdict["outcome"],
                        "sentence": link.verdict["sentence"],
                        "n_votes": link.looks[-1]["n"],
                    }
                    for link in gates()
                ],
                "without_adapter": [
                    model.name
                    for model in TrainedModel.objects.filter(run__isnull=False)
                    if not recording.adapter_of(model).is_dir()
                ],
            }
        )
    )


def moments() -> list[Any]:
    """Every moment in the database, in the order of its rows."""
    return [
        value
        for model in apps.get_models(include_auto_created=True)
        for field in dates.fields_with_dates(model)
        if isinstance(field, models.DateTimeField)
        for value in model._base_manager.order_by("pk").values_list(field.attname, flat=True)
        if value is not None
    ]


def hours_since(now: Any) -> float:
    last = Judgment.of_people.latest("submitted_at").submitted_at
    return float((now - last) / timedelta(hours=1))


def may_log_in(email: str, password: str) -> bool:
    return bool(Client().login(email=email, password=password))


def others_with_a_password() -> list[str]:
    known = [login.email for login in LOGINS]
    return [
        user.email for user in User.objects.exclude(email__in=known) if user.has_usable_password()
    ]


def least_reliable() -> dict[str, list[str]]:
    """The three raters with the lowest reliability of each campaign with comparisons."""
    names = {}
    for campaign in Campaign.objects.filter(kind="comparison"):
        rated = RaterQuality.objects.filter(report__campaign=campaign, weight__isnull=False)
        lowest = rated.order_by("weight").values_list("rater__user__name", flat=True)[:3]
        names[campaign.name] = sorted(lowest)
    return names


def gates() -> Iterator[Link]:
    yield from Link.objects.filter(step=steps.GATE.name, state=Link.State.DONE)


def talks() -> dict[str, int]:
    """Of the conversations that were held, and of those in which nobody attacks."""
    held = Conversation.objects.filter(attack=None, state=Conversation.State.FINISHED)
    return {
        "conversations": held.count(),
        "raters": held.values("rater").distinct().count(),
        "models": TurnRequest.objects.filter(turn__conversation__in=held)
        .values("source")
        .distinct()
        .count(),
        "rated_turns": ConversationTurn.objects.filter(
            conversation__in=held, state=ConversationTurn.State.RATED
        ).count(),
    }


def attacks() -> list[dict[str, Any]]:
    """What attackers say, beside what their stated rule says of the answer that they reached."""
    rows = Attack.objects.select_related("brief", "turn__chosen").order_by("pk")
    return [
        {
            "success": attack.success,
            "by_rule": breaks(attack.turn.chosen.text, attack.brief.area)[0],
            "is_reviewed": bool(reviews.successes([attack])),
        }
        for attack in rows
        if attack.turn.chosen
    ]


def verdicts() -> dict[str, str]:
    """The sentence at the top of the pages of what was recorded last, and who the raters were."""
    admin, researcher = (User.objects.get(email=LOGINS[place].email) for place in (1, 2))
    addresses = {
        "red teaming": (admin, "/red-teaming/"),
        "curation": (researcher, f"/curations/{Curation.objects.get().pk}/"),
        "pool": (admin, f"/pools/{Pool.objects.latest('pk').pk}/"),
    }
    sentences = {}
    for name, (user, address) in addresses.items():
        client = Client()
        client.force_login(user)
        main = html.fromstring(client.get(address).content).find(".//main")
        sentences[name] = " ".join(main.text_content().split())
    return sentences


def measured() -> list[dict[str, float | int | None]]:
    rules = ratings.measured(recipe="response")
    return [{"n": rule.precision.n, "share": rule.precision.share} for rule in rules]


if __name__ == "__main__":
    main()

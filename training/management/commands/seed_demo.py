"""Fills an empty site with the demo's people and content, and prints the logins. Safe to
run again.
"""

import json
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.data import intake
from labeling.data.imports import services as imports_services
from labeling.guidelines import services as guidelines_services
from labeling.kinds.comparison import ComparisonSettings
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.models import Campaign, Guideline, Import, Pool, Prompt, Source, examples
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import services as pools_services
from labeling.splits import near_duplicates
from training.management import demo
from training.management.demo import recording

POOL = "Demo pool"
OWN_WORDS = "Preferably demo"
LICENCE = "Apache-2.0"
WRITING, COMPARING = "Writing a demonstration", "Comparing responses"


class Login(NamedTuple):
    email: str
    name: str
    role: str
    password: str


LOGINS = [
    Login("rater@demo.example", "Robin", "rater", "write-and-compare"),
    Login("admin@demo.example", "Alex", "admin", "run-the-pools"),
    Login("researcher@demo.example", "Sam", "researcher", "train-the-model"),
]


class Command(BaseCommand):
    help = (
        "Brings the database up to date, fills it with the demo's people and content, and prints"
        " the logins."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--recorded",
            action="store_true",
            help="Begin with the recorded site that the package has, if there is no database.",
        )

    def handle(self, *args: object, **options: object) -> None:
        if settings.MODE == "production":
            raise CommandError(
                "seed_demo makes accounts whose passwords everybody knows. It runs where"
                " PREFERABLY_MODE is demo."
            )
        if options["recorded"]:
            recording.unpack()
        call_command("migrate", verbosity=0)
        recording.finish(now=timezone.now())
        if not Campaign.objects.filter(name=COMPARING).exists():
            seed(now=timezone.now())
        call_command("load_suites", verbosity=0, stdout=self.stderr)
        self.stdout.write(f"  {'role':<12}{'e-mail':<28}password")
        for login in LOGINS:
            self.stdout.write(f"  {login.role:<12}{login.email:<28}{login.password}")


def seed(*, now: datetime) -> None:
    """Each step checks whether it is done already, so the next start completes an
    interrupted one.
    """
    for login in LOGINS:
        add_person(login, now=now)
    admin = User.objects.get(email=LOGINS[1].email)
    pool = add_pool(by=admin, now=now)
    add_prompts("demonstrations.jsonl")
    add_prompts("prompts.jsonl")
    source = add_responses(now=now)
    add_campaign(
        name=WRITING,
        settings=DemonstrationSettings(),
        guideline="writing.md",
        prompts=Prompt.objects.filter(import_batch__file_name="prompts.jsonl"),
        pool=pool,
        by=admin,
        now=now,
    )
    add_campaign(
        name=COMPARING,
        settings=ComparisonSettings(n_responses=4, overlap=3),
        guideline="comparing.md",
        prompts=Prompt.objects.filter(responses__source=source).distinct(),
        pool=pool,
        source_ids=[source.pk],
        by=admin,
        now=now,
    )


def add_person(login: Login, *, now: datetime) -> None:
    if not User.objects.filter(email=login.email).exists():
        accounts_services.create_person(
            email=login.email,
            name=login.name,
            roles=[login.role],
            password=login.password,
            by=None,
            now=now,
        )


def add_pool(*, by: User, now: datetime) -> Pool:
    pool = Pool.objects.filter(name=POOL).first()
    if pool is None:
        pool = pools_services.create_pool(
            name=POOL, description="Everybody who tries the demo.", by=by, now=now
        )
    rater = User.objects.select_related("rater").get(email=LOGINS[0].email).rater
    pools_services.add_raters(pool=pool, raters=[rater], by=by, now=now)
    return pool


def add_prompts(file_name: str) -> None:
    """Imports the file as any other content, published completely or not at all."""
    if Import.objects.filter(file_name=file_name, state=Import.State.PUBLISHED).exists():
        return
    batch = imports_services.start_import(
        path=demo.FOLDER / file_name,
        file_name=file_name,
        file_format="hf",
        source_name=OWN_WORDS,
        licence=LICENCE,
        is_strict=True,
        with_judgments=True,
        is_rung=False,
        by=None,
        now=timezone.now(),
    )
    imports_services.IMPORTS.run(batch.pk, clock=timezone.now)


def add_responses(*, now: datetime) -> Source:
    source = Source.objects.filter(name=demo.SOURCE_NAME).first()
    if source is None:
        source = intake.source_for_model(name=demo.SOURCE_NAME, licence=demo.MODEL_LICENCE)
    rows = [
        json.loads(line)
        for line in (demo.FOLDER / "responses.jsonl").read_text().split("\n")
        if line
    ]
    prompt_ids = dict(Prompt.objects.values_list("messages_sha256", "pk"))
    intake.store_responses(
        source=source,
        rows=[
            intake.NewResponse(
                prompt_id=prompt_ids[near_duplicates.fingerprint(row["prompt"])],
                text=row["text"],
                number=row["number"],
                sampling=row["sampling"],
                is_ended=row["is_ended"],
            )
            for row in rows
        ],
        now=now,
    )
    return source


def add_campaign(*, name: str, guideline: str, **fields: Any) -> None:
    if Campaign.objects.filter(name=name).exists():
        return
    by, now = fields["by"], fields["now"]
    instructions = Guideline.objects.filter(name=name).first()
    if instructions is None:
        text = (demo.FOLDER / guideline).read_text()
        shown = examples.parse(json.loads((demo.FOLDER / "examples.json").read_text())[guideline])
        instructions = guidelines_services.create_guideline(
            name=name, text=text, examples=shown, by=by, now=now
        )
    campaign = campaigns_services.create_campaign(name=name, guideline=instructions, **fields)
    campaigns_services.open_campaign(campaign=campaign, by=by, now=now)

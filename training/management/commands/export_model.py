"""Writes a model's archive to a file. Run it where the weights are: on the web server or a GPU
node.
"""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from training.models import TrainedModel
from training.registry.archive import export
from training.storage import store


class Command(BaseCommand):
    help = "Write a model as one .tar: weights, tokenizer, card (README.md) and lineage.json."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="name of the model")
        parser.add_argument(
            "file",
            type=Path,
            nargs="?",
            help="path of the archive; default: NAME.tar in this folder",
        )
        parser.add_argument(
            "--adapter",
            action="store_true",
            help="export the LoRA adapter instead of the full weights",
        )

    def handle(
        self, *args: object, model: str, adapter: bool, file: Path | None, **options: object
    ) -> None:
        models = TrainedModel.objects.select_related("run__snapshot", "run__reward_model", "parent")
        trained = models.filter(name=model).first()
        if trained is None:
            raise CommandError(f"There is no model called “{model}”.")
        weights = export.ADAPTER if adapter else export.MERGED
        try:
            packed = export.archive(model=trained, weights=weights)
            path = file or Path(f"{packed.name}.tar")
            aside = path.with_name(f".{path.name}.part")
            with aside.open("wb") as partial:
                for block in packed.chunks():
                    partial.write(block)
        except export.UnableToExport as problem:
            raise CommandError(problem.sentence) from problem
        except store.StoreUnavailable as problem:
            raise CommandError(f"The artifact store did not answer ({problem}).") from problem
        aside.rename(path)
        self.stdout.write(f"{path}: {path.stat().st_size} bytes, {len(packed.entries)} files.")

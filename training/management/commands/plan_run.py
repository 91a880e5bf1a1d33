"""Says what a run would hold and send on a node, before anything is loaded, or why it cannot be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.configs import kinds, roles
from training.configs.cost import estimates
from training.configs.cost.sizes import GIB, Rows, Shape
from training.configs.kinds import KINDS, PRESETS
from training.configs.knobs import Settings
from training.models import TrainedModel
from training.processes.launch import STRATEGIES, Launch
from training.runs.estimates import costs, plan
from training.runs.estimates.plan import Asked, Node, Plan


class Command(BaseCommand):
    help = (
        "Say what each card and the machine would hold during a run, and what travels, from the"
        " model's config.json alone. Ends with 1 if it cannot be, with a sentence for each reason."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=list(KINDS))
        parser.add_argument(
            "model", help="a registered model's name, a folder with config.json, or that file"
        )
        parser.add_argument("--preset", default="balanced", help="settings to begin with")
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting"
        )
        parser.add_argument(
            "--beside",
            action="append",
            default=[],
            metavar="ROLE=MODEL",
            help=f"another model: {', '.join(roles.NAMES[1:])}",
        )
        parser.add_argument("--gpus", type=int, default=1, help="on each machine")
        parser.add_argument("--processes", type=int, default=1, help="on each machine")
        parser.add_argument("--machines", type=int, default=1)
        parser.add_argument("--strategy", choices=list(STRATEGIES), default="ddp")
        parser.add_argument("--offload", action="store_true", help="FSDP keeps shards in memory")
        parser.add_argument("--cards", type=int, default=8, help="GPUs of the node")
        parser.add_argument("--card-gb", type=float, default=80)
        parser.add_argument("--host-gb", type=float, default=512)
        parser.add_argument("--prompt-tokens", type=float, default=256, help="of a row, on average")
        parser.add_argument("--response-tokens", type=float, default=256)

    def handle(self, *args: object, **options: Any) -> None:
        asked = _asked(options)
        node = Node(options["cards"], options["card_gb"], options["host_gb"])
        planned = plan.plan(asked, node)
        self._tell(planned, asked, node)
        if planned.problems:
            raise CommandError("\n".join(problem.sentence for problem in planned.problems))

    def _tell(self, planned: Plan, asked: Asked, node: Node) -> None:
        write = self.stdout.write
        write(
            f"{asked.shape.n_parameters:,} weights, {asked.config.n_trained(asked.shape):,} trained"
        )
        if asked.n_gpus:
            self._table(f"Each card of {asked.launch.n_processes}", planned.card, node.card_gb)
        if planned.replicas:
            copies, cards_each = planned.replicas.n_copies, planned.replicas.cards_each
            what = f"Each card of vLLM: copies {copies}, cards a copy {cards_each}"
            self._table(what, planned.server_card, node.card_gb)
        self._table("The machine", planned.host, node.host_gb)
        for what, size in planned.traffic.items():
            write(f"Each card sends the {what}: {size / GIB:.3g} GB")

    def _table(self, title: str, parts: Mapping[str, float], limit_gb: float) -> None:
        self.stdout.write(f"{title}: {sum(parts.values()) / GIB:.3g} of {limit_gb:.3g} GB")
        for name, size in parts.items():
            if size:
                self.stdout.write(f"  {size / GIB:8.2f}  {name}")


def _asked(options: Mapping[str, Any]) -> Asked:
    known, shape = _model(options["model"])
    beside = {role: _model(name)[1] for role, name in _pairs(options["beside"]).items()}
    if odd := beside.keys() - KINDS[options["kind"]].takes.keys():
        raise CommandError(f"{options['kind']} takes no {min(odd)}.")
    if min(options["processes"], options["machines"]) < 1:
        raise CommandError("A run has at least one process and one machine.")
    prompt, response = options["prompt_tokens"], options["response_tokens"]
    return Asked(
        _config(options),
        shape,
        Rows(1000, 1000, 1000, 100, prompt, response),
        n_gpus=options["gpus"],
        launch=Launch(
            options["processes"], options["strategy"], options["offload"], options["machines"]
        ),
        beside=beside,
        config_json=known,
    )


def _config(options: Mapping[str, Any]) -> Settings:
    presets = PRESETS[options["kind"]]
    if options["preset"] not in presets:
        raise CommandError(f"Choose a preset of: {', '.join(presets)}.")
    raw = kinds.as_json(presets[options["preset"]]) | _pairs(options["set"])
    config, problems = kinds.parse(options["kind"], raw)
    if config is None:
        raise CommandError("\n".join(problem.sentence_in(str) for problem in problems))
    return config


def _pairs(words: list[str]) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise CommandError(f"Write {word} as NAME=VALUE.")
    return dict(word.split("=", 1) for word in words)


def _model(name: str) -> tuple[Mapping[str, Any], Shape]:
    """Its config.json, empty for a registered model elsewhere, and its shape."""
    path = Path(name) / "config.json" if Path(name).is_dir() else Path(name)
    if path.is_file():
        known = costs.read_config(path)
        shape = estimates.shape_of(known)
    else:
        model = TrainedModel.objects.filter(name=name).order_by("-pk").first()
        if model is None:
            raise CommandError(f"There is no model called “{name}”, and no such folder or file.")
        known, shape = {}, costs.shape_of(model=model)
    if shape is None:
        raise CommandError(f"The sizes of “{name}” are not known: its config names them otherwise.")
    return known, shape

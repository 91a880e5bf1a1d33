"""The plan of a run on the nodes that are online: what it would hold there, in words, and why it is
refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knobs.fields import Problem
from training.configs.cost.sizes import GIB
from training.models import Run
from training.runs import placement
from training.runs.estimates import plan
from training.runs.estimates.plan import Asked, Node, Plan


@dataclass(frozen=True)
class Table:
    """What one thing holds or sends, in GB by what it is for, the most first."""

    title: str
    parts: list[tuple[str, float]]
    held: float | None = None
    """in all; None if the parts are not there at the same time"""
    room: float | None = None
    """None if it is not known"""


@dataclass(frozen=True)
class Planned:
    """`plan` and `asked` are None if the model's sizes are not known; then `unknown` says why.
    `node` is None if no node that is online has room for what the run asks for.
    """

    misfits: tuple[Problem, ...]
    """what no node could do"""
    unknown: str = ""
    plan: Plan | None = None
    asked: Asked | None = None
    node: Node | None = None
    node_name: str = ""
    is_measured: bool = False
    """whether a dry run has shown that it fits, so that no rule of thumb refuses it"""

    @property
    def too_large(self) -> tuple[Problem, ...]:
        """What every node that could take it has too little memory for."""
        return self.plan.too_large if self.plan and not self.is_measured else ()

    @property
    def refusals(self) -> tuple[Problem, ...]:
        return self.misfits + self.too_large

    @property
    def sentences(self) -> list[str]:
        """Why the run is refused."""
        return [problem.sentence_in(_) for problem in self.refusals]

    @property
    def summary(self) -> str:
        """One sentence: what is held, or why nobody knows."""
        if self.plan is None or self.asked is None:
            return self.unknown
        host = sum(self.plan.host.values()) / GIB
        values = {"host": f"{host:.3g}", "n": self.asked.n_gpus}
        values["held"] = f"{sum(self.plan.card.values()) / GIB:.3g}"
        n_cards = self.asked.launch.n_processes
        if self.node is None:
            if not self.asked.n_gpus:
                return _("The machine holds %(host)s GB.") % values
            return ngettext(
                "The GPU holds %(held)s GB; the machine holds %(host)s GB.",
                "Each of %(n)s GPUs holds %(held)s GB; the machine holds %(host)s GB.",
                n_cards,
            ) % (values | {"n": n_cards})
        values |= {"room": f"{self.node.card_gb:.3g}", "host_room": f"{self.node.host_gb:.3g}"}
        values["node"] = self.node_name
        if not self.asked.n_gpus:
            return _("On %(node)s, the machine holds %(host)s of %(host_room)s GB.") % values
        return ngettext(
            "On %(node)s, the GPU holds %(held)s of %(room)s GB; the machine holds %(host)s of"
            " %(host_room)s GB.",
            "On %(node)s, each of %(n)s GPUs holds %(held)s of %(room)s GB; the machine holds"
            " %(host)s of %(host_room)s GB.",
            n_cards,
        ) % (values | {"n": n_cards})

    @property
    def tables(self) -> list[Table]:
        """What the cards and the machine hold, and what travels."""
        if self.plan is None or self.asked is None:
            return []
        card_gb, host_gb = (self.node.card_gb, self.node.host_gb) if self.node else (None, None)
        tables = []
        if self.asked.n_gpus:
            tables.append(_table(_("Each GPU with a process"), self.plan.card, card_gb))
        if self.plan.replicas:
            copies, cards_each = self.plan.replicas.n_copies, self.plan.replicas.cards_each
            title = _("Each GPU of vLLM: %(copies)s copies of the model, each on %(n)s GPUs")
            values = {"copies": copies, "n": cards_each}
            tables.append(_table(title % values, self.plan.server_card, card_gb))
        tables.append(_table(_("The machine"), self.plan.host, host_gb))
        if self.plan.traffic:
            tables.append(Table(_("Sent by each GPU"), _parts(self.plan.traffic)))
        return tables


def on_nodes(asked: Asked, *, memory_gb: int, is_measured: bool, now: datetime) -> Planned:
    """On the node with the most room for the run, of those that may take it; of several machines,
    on the last one that it needs.
    """
    plans = []
    for name, node, has_cards in _nodes(asked, memory_gb, now):
        takes_card = has_cards and not asked.n_gpus and not asked.launch.is_parallel
        on_node = replace(asked, n_gpus=1) if takes_card else asked
        plans.append((plan.plan(on_node, node), on_node, node, name))
    if not plans:
        on_any = plan.plan(asked, None)
        return Planned(on_any.misfits, plan=on_any, asked=asked, is_measured=is_measured)
    plans.sort(key=lambda made: len(made[0].too_large))
    made, on_node, node, name = plans[min(asked.launch.n_machines, len(plans)) - 1]
    return Planned(made.misfits, "", made, on_node, node, name, is_measured)


def _nodes(asked: Asked, memory_gb: int, now: datetime) -> Iterator[tuple[str, Node, bool]]:
    """Those that are online and have the GPUs and memory that the run asks for."""
    wanted = Run(n_gpus=asked.n_gpus, memory_gb=memory_gb)
    for status in placement.nodes(now=now):
        row = status.node
        if status.is_alive and row.memory_gb and placement.has_room(run=wanted, node=row):
            cards = placement.gpu_memories(row)
            card_gb = cards[max(asked.n_gpus, 1) - 1] if cards else 0
            yield row.name, Node(len(cards), card_gb, row.memory_gb), bool(cards)


def _table(title: str, held: Mapping[str, float], room: float | None) -> Table:
    return Table(title, _parts(held), sum(held.values()) / GIB, room)


def _parts(held: Mapping[str, float]) -> list[tuple[str, float]]:
    by_size = sorted(held.items(), key=lambda part: -part[1])
    return [(_(name), size / GIB) for name, size in by_size if size]

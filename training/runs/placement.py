"""Which run goes to which node: the nodes and their current runs, what fits where, and why a run
waits.

A node with GPUs takes as many runs at once as its cards and its worker's processes allow, and no
card has two runs. A node without GPUs takes one run at a time, and a run on several machines has
its nodes for itself.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from training.configs import kinds
from training.models import Node, Run
from training.processes.launch import Launch
from training.runs.multi_node.selectors import gathering_run_ids

ALIVE_FOR = timedelta(seconds=60)
_LAUNCH = {one.name for one in fields(Launch)}


@dataclass(frozen=True)
class NodeStatus:
    """A node, whether it is alive, and its current runs."""

    node: Node
    is_alive: bool
    runs: tuple[Run, ...]

    @property
    def takes_runs(self) -> bool:
        return self.is_alive and self.node.draining_since is None


def nodes(*, now: datetime) -> list[NodeStatus]:
    """All nodes: alive ones first, then by name."""
    running = (
        Run.objects.filter(state=Run.State.RUNNING).order_by("started_at").prefetch_related("seats")
    )
    current: dict[str, dict[int, Run]] = {}
    for run in running:
        seats = [seat.node for seat in run.seats.all() if seat.attempt == run.attempt]
        for name in filter(None, (run.node, *seats)):
            current.setdefault(name, {})[run.pk] = run
    statuses = [
        NodeStatus(node, now - node.seen_at < ALIVE_FOR, tuple(current.get(node.name, {}).values()))
        for node in Node.objects.order_by("name")
    ]
    return sorted(statuses, key=lambda status: not status.is_alive)


def fits_node(*, node: str) -> Q:
    """A condition for runs: those that this node has the GPUs and memory for. None match while it
    drains.

    A node without a row is somebody's command line (manage.py supervise): it takes any run.
    """
    wanted = Q(kind__in=kinds.KINDS) & (Q(wanted_node="") | Q(wanted_node=node))
    row = Node.objects.filter(name=node).first()
    if row is None:
        return wanted
    if row.draining_since is not None:
        return Q(pk__in=())
    fits = Q(n_gpus=0, memory_gb__lte=math.ceil(row.memory_gb))
    for n_gpus, memory_gb in enumerate(gpu_memories(row), start=1):
        fits |= Q(n_gpus=n_gpus, memory_gb__lte=memory_gb)
    return wanted & fits


def next_run_id(*, node: str, now: datetime) -> int | None:
    """The first queued run that this node may take.

    A run that needs more cards or machines than are free right now blocks those behind it, or it
    would never start. One that needs more than exist is skipped, and so is one that another node is
    free for. Machines gather for one run at a time.
    """
    known = nodes(now=now)
    own = next((status for status in known if status.node.name == node), None)
    for run in queued_runs().filter(fits_node(node=node)).iterator(chunk_size=100):
        if unknown_settings(run=run):
            continue
        n_machines = Launch.from_json(run.launch).n_machines
        is_free_here = own is None or has_free_room(run=run, status=own)
        if n_machines == 1:
            if is_free_here:
                return run.pk
            if any(status.takes_runs and is_free(run=run, status=status) for status in known):
                continue
            return None
        taking = [
            status for status in known if status.takes_runs and has_room(run=run, node=status.node)
        ]
        if len(taking) < n_machines:
            continue
        n_free = sum(has_free_room(run=run, status=status) for status in taking)
        is_next = is_free_here and n_free >= n_machines and not gathering_run_ids()
        return run.pk if is_next else None
    return None


def unknown_settings(*, run: Run) -> list[str]:
    """What the run asks for and this code does not know. During an upgrade, the site is ahead of
    its nodes: a node leaves such a run to one that has been upgraded.
    """
    known = kinds.KINDS.get(run.kind)
    if known is None:
        return [run.kind]
    names = {knob.name for knob in kinds.knobs(run.kind)}
    return sorted((run.config.keys() - names) | (run.launch.keys() - _LAUNCH))


def has_free_room(*, run: Run, status: NodeStatus) -> bool:
    """Whether the node has room for the run beside its current ones."""
    if status.runs and Launch.from_json(run.launch).n_machines > 1:
        return False
    if not status.node.gpus:
        return not status.runs and has_room(run=run, node=status.node)
    if run.n_gpus == 0 and run.memory_gb > math.ceil(status.node.memory_gb):
        return False
    return bool(free_cards(run=run, node=status.node, beside=status.runs))


def is_free(*, run: Run, status: NodeStatus) -> bool:
    """Whether the run can start on this node now."""
    return run.wanted_node in ("", status.node.name) and has_free_room(run=run, status=status)


def free_cards(*, run: Run, node: Node, beside: Sequence[Run]) -> list[str]:
    """The cards that the run gets, the smallest that are large enough; none if too few are free. A
    run that asks for no GPU gets one too, where there are any.
    """
    if any(not other.cards for other in beside):
        return []  # on several machines, or claimed by an earlier release
    taken = {card for other in beside for card in other.cards}
    n_cards, least = (run.n_gpus, run.memory_gb) if run.n_gpus else (1, 0)
    free = [
        (gpu["memory_gb"], number, card)
        for number, gpu in enumerate(node.gpus)
        for card in [gpu.get("card") or str(number)]
        if card not in taken and math.ceil(gpu["memory_gb"]) >= least
    ]
    return [card for _gb, _number, card in sorted(free)[:n_cards]] if len(free) >= n_cards else []


def queued_runs() -> QuerySet[Run]:
    """Queued runs in the order in which they start."""
    return Run.objects.filter(state=Run.State.QUEUED).order_by("-priority", "created_at", "pk")


def highest_priority() -> int:
    """The highest priority in the queue; 0 if the queue is empty."""
    return queued_runs().values_list("priority", flat=True).first() or 0


def queue_with_reasons(*, runs: Iterable[Run], now: datetime) -> list[tuple[Run, str]]:
    """Each of these queued runs, with the reason why it waits."""
    return [(run, why_waiting(run=run, now=now)) for run in runs]


def can_run_elsewhere(*, run_id: int, node: str, now: datetime) -> bool:
    """Whether another node is free for this queued run. If so, the message was meant for
    that node.
    """
    run = Run.objects.filter(pk=run_id, state=Run.State.QUEUED).first()
    if run is None:
        return False
    others = (status for status in nodes(now=now) if status.node.name != node)
    return any(status.takes_runs and is_free(run=run, status=status) for status in others)


def fits(*, run: Run, node: Node) -> bool:
    return run.wanted_node in ("", node.name) and has_room(run=run, node=node)


def has_room(*, run: Run, node: Node) -> bool:
    """Whether the node has the GPUs and memory that the run requests per machine."""
    if run.n_gpus == 0:
        return run.memory_gb <= math.ceil(node.memory_gb)
    memories = gpu_memories(node)
    return len(memories) >= run.n_gpus and memories[run.n_gpus - 1] >= run.memory_gb


def why_waiting(*, run: Run, now: datetime) -> str:
    """A sentence for the page of a queued run; "" for any other."""
    if run.state != Run.State.QUEUED:
        return ""
    if unknown := unknown_settings(run=run):
        return _(
            "This release does not know its setting %(names)s. Start the run again without it."
        ) % {"names": ", ".join(unknown)}
    known = nodes(now=now)
    alive = [status for status in known if status.is_alive]
    if not alive:
        return _("No GPU worker has sent a heartbeat in the last minute. Start one to run this.")
    fitting_nodes = [status for status in alive if fits(run=run, node=status.node)]
    if (
        not fitting_nodes
        and run.wanted_node
        and run.wanted_node not in {status.node.name for status in alive}
    ):
        return _(
            "It continues from a state on %(node)s, which is offline. It waits until the node is"
            " back."
        ) % {"node": run.wanted_node}
    if not fitting_nodes:
        return _(
            "No online node has %(wanted)s. Available: %(nodes)s. Add a node, or start the run"
            " again with lower requirements."
        ) % {
            "wanted": requirements_in_words(run=run),
            "nodes": "; ".join(capacity_in_words(node=status.node) for status in alive),
        }
    taking = [status for status in fitting_nodes if status.takes_runs]
    n_machines = Launch.from_json(run.launch).n_machines
    if len(fitting_nodes) < n_machines:
        return _(
            "It needs %(n)s machines, and only these are online and large enough: %(nodes)s. Add"
            " nodes."
        ) % {
            "n": n_machines,
            "nodes": ", ".join(status.node.name for status in fitting_nodes),
        }
    if not taking:
        names = ", ".join(status.node.name for status in fitting_nodes)
        return _(
            "Every node that could take it is draining: %(nodes)s. Resume one on the “Nodes” page."
        ) % {"nodes": names}
    n_before = _n_before(run)
    before = (
        ngettext("%(n)s run is ahead of it.", "%(n)s runs are ahead of it.", n_before)
        % {"n": n_before}
        if n_before
        else ""
    )
    if sum(has_free_room(run=run, status=status) for status in taking) < n_machines:
        busy = ", ".join(
            f"{status.node.name} ({', '.join(f'“{other}”' for other in status.runs)})"
            for status in taking
            if status.runs
        )
        return " ".join(filter(None, (_("Waiting for %(nodes)s.") % {"nodes": busy}, before)))
    return before or _("A free node takes it in a few seconds.")


def requirements_in_words(*, run: Run) -> str:
    if run.n_gpus == 0:
        return _("%(n)s GB of memory") % {"n": run.memory_gb}
    words = ngettext("%(n)s GPU", "%(n)s GPUs", run.n_gpus) % {"n": run.n_gpus}
    return (
        _("%(gpus)s with %(n)s GB each") % {"gpus": words, "n": run.memory_gb}
        if run.memory_gb
        else words
    )


def capacity_in_words(*, node: Node) -> str:
    if not node.gpus:
        return _("%(node)s with no GPU and %(n)s GB of memory") % {
            "node": node.name,
            "n": math.ceil(node.memory_gb),
        }
    kinds = Counter(f"{gpu['name']} {math.ceil(gpu['memory_gb'])} GB" for gpu in node.gpus)
    gpus = ", ".join(f"{n} × {kind}" for kind, n in kinds.items())
    return _("%(node)s with %(gpus)s") % {"node": node.name, "gpus": gpus}


def gpu_memories(node: Node) -> Sequence[int]:
    """In whole GB, the largest first. Rounded up, because an 80 GB card reports 79.6."""
    return sorted((math.ceil(gpu["memory_gb"]) for gpu in node.gpus), reverse=True)


def _n_before(run: Run) -> int:
    ahead = Q(priority__gt=run.priority) | Q(priority=run.priority, created_at__lt=run.created_at)
    return Run.objects.filter(ahead, state=Run.State.QUEUED).exclude(pk=run.pk).count()

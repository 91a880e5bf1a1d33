"""What the figures mean: is something stuck, full or old, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.monitoring import release
from training.models import Node
from training.operations import queues
from training.operations.figures import Disk, Figures
from training.runs import placement

GOOD, WARNING, DANGER, UNKNOWN = "good", "warning", "danger", ""
BEAT_SILENT = timedelta(minutes=2)
WORKER_SILENT = timedelta(minutes=3)
WAITS_LONG, WAITS_TOO_LONG = timedelta(minutes=10), timedelta(hours=1)
LEASE_LONG_LAPSED = timedelta(days=1)
FREE_LITTLE, FREE_TOO_LITTLE = 0.10, 0.03
BACKUP_OLD, BACKUP_TOO_OLD = timedelta(hours=36), timedelta(days=7)
N_MISSING = 3
"""How many missing files are named."""
MayOpen = Callable[[str], bool]


@dataclass(frozen=True)
class Finding:
    """One line of the page. `at`: the moment that `words` speak of, if it is not that of the
    figures. `url_name` and `link`: where to act.
    """

    about: str
    level: str
    words: str
    at: datetime | None = None
    advice: str = ""
    url_name: str = ""
    link: str = ""

    @property
    def is_wrong(self) -> bool:
        return self.level in (WARNING, DANGER)

    @property
    def label(self) -> Promise:
        return LEVELS[self.level]

    @property
    def url(self) -> str:
        return reverse(self.url_name) if self.url_name else ""


LEVELS = {
    GOOD: gettext_lazy("OK"),
    WARNING: gettext_lazy("Warning"),
    DANGER: gettext_lazy("Problem"),
    UNKNOWN: gettext_lazy("Unknown"),
}


ORDER = (DANGER, WARNING, UNKNOWN, GOOD)


def findings(figures: Figures, *, may_open: MayOpen) -> list[Finding]:
    """The worst first, then what is stuck, full and old. Links lead only where the reader may
    go.
    """
    listed = [*_stuck(figures), *_full(figures), *_old(figures)]
    return sorted(
        (_only_if_open(finding, may_open) for finding in listed),
        key=lambda finding: ORDER.index(finding.level),
    )


def _only_if_open(finding: Finding, may_open: MayOpen) -> Finding:
    if finding.url_name and not may_open(finding.url_name):
        return replace(finding, url_name="", link="")
    return finding


# --- stuck ----------------------------------------------------------------------------------------


def _stuck(figures: Figures) -> Iterator[Finding]:
    yield _broker(figures)
    yield _beat(figures)
    yield _worker(figures)
    yield from (_waiting(queue, figures) for queue in figures.waiting if queue.n)
    yield _empty_queues(figures)
    yield _leases(figures)
    yield _silent_runs(figures)
    yield from _nodes(figures)
    yield _failed_deliveries(figures)


def _broker(figures: Figures) -> Finding:
    if all(n is None for n in figures.messages.values()):
        return Finding(
            _("Broker"),
            DANGER,
            _("Redis is not responding. People can still work, but background jobs wait."),
            advice=_("Start Redis or Valkey again. Waiting messages are then sent automatically."),
        )
    counted = ", ".join(f"{queue}: {n}" for queue, n in figures.messages.items() if n is not None)
    words = _("Responding. Messages waiting for a worker: %(n)s.") % {"n": counted}
    return Finding(_("Broker"), GOOD, words)


def _beat(figures: Figures) -> Finding:
    about = _("Beat")
    if figures.beat_at is None:
        return Finding(
            about,
            WARNING,
            _("Beat has never sent a task."),
            advice=_("Start it on one machine only: systemctl start preferably-beat."),
        )
    if figures.at - figures.beat_at > BEAT_SILENT:
        return Finding(
            about,
            DANGER,
            _("Stopped. Schedules, mail and webhooks wait. Last task sent:"),
            figures.beat_at,
            _("Start it again, on one machine only: systemctl restart preferably-beat."),
        )
    return Finding(about, GOOD, _("Last task sent:"), figures.beat_at)


def _worker(figures: Figures) -> Finding:
    about = _("Short worker")
    if figures.worker_at is None:
        return Finding(
            about,
            WARNING,
            _("No short worker has taken the task that beat sends every 30 s."),
            advice=_("Start one: systemctl start preferably-short."),
        )
    if figures.at - figures.worker_at > WORKER_SILENT:
        is_beat_away = figures.beat_at is None or figures.at - figures.beat_at > BEAT_SILENT
        return Finding(
            about,
            WARNING if is_beat_away else DANGER,
            _(
                "No short worker is taking tasks. Imports, exports, mail and webhooks wait."
                " Last task taken:"
            ),
            figures.worker_at,
            _("Start beat first.")
            if is_beat_away
            else _("Restart it: systemctl restart preferably-short. Its log shows why it stopped."),
        )
    return Finding(about, GOOD, _("Last task taken:"), figures.worker_at)


def _empty_queues(figures: Figures) -> Finding:
    names = ", ".join(str(queue.queue.label) for queue in figures.waiting if not queue.n)
    return Finding(_("Empty queues"), GOOD, names or _("None"))


def _waiting(queue: queues.Waiting, figures: Figures) -> Finding:
    about = str(queue.queue.label)
    age = figures.at - queue.since if queue.since else timedelta(0)
    words = ngettext("%(n)s waiting, since:", "%(n)s waiting, the oldest since:", queue.n) % {
        "n": queue.n
    }
    level = _level(age, WAITS_LONG, WAITS_TOO_LONG)
    advice = {
        "short": _("Check that the short worker is running. If it is busy, start a second one."),
        "models": _(
            "Check that a worker on the queue “models” is running:"
            " systemctl status preferably-models."
        ),
        "gpu": "",
    }[queue.queue.messages]
    if queue.queue.name == "runs":
        level, advice = _of_runs(level, figures)
    return Finding(
        about,
        level,
        words,
        queue.since,
        advice if level != GOOD else "",
        queue.queue.url_name,
        _("Show"),
    )


def _of_runs(level: str, figures: Figures) -> tuple[str, str]:
    """Runs may wait for hours behind others. They are stuck if no node can take any."""
    if any(_is_alive(node, figures) for node in figures.nodes or ()):
        return GOOD, ""
    return (
        level,
        _("No GPU node is online. Start a node's worker: systemctl start preferably-node."),
    )


def _leases(figures: Figures) -> Finding:
    about = _("Items in work")
    if figures.leases is None:
        return Finding(about, UNKNOWN, _("Counting them took too long."))
    lapsed, at = figures.leases.n_lapsed, figures.leases.oldest_lapsed_at
    n = figures.leases.n - lapsed
    held = ngettext("%(n)s item is with a rater.", "%(n)s items are with raters.", n) % {"n": n}
    if at is None:
        return Finding(about, GOOD, held)
    left = ngettext(
        "%(n)s was abandoned. Its reservation ended:",
        "%(n)s were abandoned. The first reservation ended:",
        lapsed,
    ) % {"n": lapsed}
    return Finding(
        about,
        WARNING if figures.at - at > LEASE_LONG_LAPSED else GOOD,
        f"{held} {left}",
        at,
        _(
            "They go to the next raters who ask for an item. If nobody does, the campaign needs"
            " more raters."
        ),
        "campaigns",
        _("Campaigns"),
    )


def _silent_runs(figures: Figures) -> Finding:
    about = _("Heartbeats of runs")
    if figures.silent_runs is None:
        return Finding(about, UNKNOWN, _("Reading them took too long."))
    if not figures.silent_runs:
        n = (figures.runs or {}).get("running", 0)
        return Finding(
            about,
            GOOD,
            ngettext("%(n)s run is running.", "%(n)s runs are running.", n) % {"n": n},
        )
    names = ", ".join(f"“{run.name}” ({run.node})" for run in figures.silent_runs[:3])
    return Finding(
        about,
        DANGER,
        ngettext(
            "%(n)s run is silent: %(names)s. Last heartbeat:",
            "%(n)s runs are silent, such as %(names)s. Oldest heartbeat:",
            len(figures.silent_runs),
        )
        % {"n": len(figures.silent_runs), "names": names},
        figures.silent_runs[0].heartbeat_at,
        _("Beat and a short worker return silent runs to the queue. Check that both are running."),
        "runs",
        _("Runs"),
    )


def _nodes(figures: Figures) -> Iterator[Finding]:
    for node in figures.nodes or ():
        about = _("Node %(name)s") % {"name": node.name}
        if _is_alive(node, figures):
            yield Finding(about, GOOD, _("Last report:"), node.seen_at, "", "nodes", _("Nodes"))
        else:
            yield Finding(
                about,
                WARNING,
                _("Offline. Last report:"),
                node.seen_at,
                _("Start its worker, or choose “Forget” on the page “Nodes” if it is gone."),
                "nodes",
                _("Nodes"),
            )


def _is_alive(node: Node, figures: Figures) -> bool:
    return figures.at - node.seen_at < placement.ALIVE_FOR


def _failed_deliveries(figures: Figures) -> Finding:
    about = _("Failed webhook messages")
    if figures.n_failed_deliveries is None:
        return Finding(about, UNKNOWN, _("Counting them took too long."))
    if not figures.n_failed_deliveries:
        return Finding(about, GOOD, _("None in the last 24 hours."))
    words = ngettext(
        "%(n)s message of the last 24 hours was given up.",
        "%(n)s messages of the last 24 hours were given up.",
        figures.n_failed_deliveries,
    ) % {"n": figures.n_failed_deliveries}
    advice = _("The webhook's page shows what the receiver answered and can send messages again.")
    return Finding(about, WARNING, words, None, advice, "webhooks", _("Webhooks"))


# --- full -----------------------------------------------------------------------------------------


def _full(figures: Figures) -> Iterator[Finding]:
    for disk in figures.disks:
        yield _disk(disk)
    if figures.database_bytes is None:
        yield Finding(_("Database"), UNKNOWN, _("Measuring it took too long."))
    else:
        size = filesizeformat(figures.database_bytes)
        yield Finding(_("Database"), GOOD, _("%(size)s in use.") % {"size": size})


def _disk(disk: Disk) -> Finding:
    about = _("Disk of the artifacts") if disk.name == "artifacts" else _("Disk of the site's data")
    share = disk.free / disk.total if disk.total else 0.0
    words = _("%(free)s of %(total)s free: %(folder)s.") % {
        "free": filesizeformat(disk.free),
        "total": filesizeformat(disk.total),
        "folder": disk.folder,
    }
    if share > FREE_LITTLE:
        return Finding(about, GOOD, words)
    level = DANGER if share <= FREE_TOO_LITTLE else WARNING
    advice = _("Delete checkpoints, weights or exports that nobody needs, or add disk space.")
    return Finding(about, level, words, None, advice, "storage", _("Storage"))


# --- old ------------------------------------------------------------------------------------------


def _old(figures: Figures) -> Iterator[Finding]:
    yield _backup(figures)
    yield _migrations(figures)
    yield _versions(figures)


def _backup(figures: Figures) -> Finding:
    about = _("Backup")
    advice = _("Run preferably backup, or set PREFERABLY_BACKUP_URL for scheduled backups.")
    if failed := figures.failed_backup:
        words = _("The last attempt failed: %(why)s") % {"why": failed.problem}
        return Finding(about, DANGER, words, failed.ended_at)
    if figures.backup is None:
        return Finding(about, WARNING, _("This site has no backup yet."), advice=advice)
    if figures.backup.missing:
        words = _("The last backup is missing files. %(missing)s") % {
            "missing": " ".join(figures.backup.missing[:N_MISSING])
        }
        return Finding(about, WARNING, words, figures.backup.ended_at)
    at = figures.backup.ended_at
    old = max(BACKUP_OLD, timedelta(hours=settings.BACKUP_EVERY_HOURS * 1.5))
    level = _level(figures.at - at, old, max(BACKUP_TOO_OLD, 2 * old))
    words = _("Last verified backup:")
    return Finding(about, level, words, at, advice if level != GOOD else "")


def _migrations(figures: Figures) -> Finding:
    about = _("Migrations")
    if figures.pending_migrations is None:
        return Finding(about, UNKNOWN, _("Reading them took too long."))
    n = len(figures.pending_migrations)
    if not n:
        return Finding(about, GOOD, _("All applied."))
    app, name = figures.pending_migrations[0]
    words = ngettext(
        "%(n)s is not applied: %(name)s.", "%(n)s are not applied, such as %(name)s.", n
    ) % {"n": n, "name": f"{app}.{name}"}
    return Finding(about, DANGER, words, advice=_("Run python manage.py migrate --noinput."))


def _versions(figures: Figures) -> Finding:
    about = _("Versions")
    own = release.running()
    others = [
        f"{node.name} ({version})"
        for node in figures.nodes or ()
        if _is_alive(node, figures) and (version := release.of_node(node.versions)) != own
    ]
    worker = figures.worker_release or own
    if worker != own:
        words = _("The site runs %(version)s, its short worker %(worker)s.")
        advice = _("Restart the short worker with the site's release.")
        return Finding(about, WARNING, words % {"version": own, "worker": worker}, None, advice)
    if not others:
        words = _("The site and every online node run %(version)s.")
        return Finding(about, GOOD, words % {"version": own})
    return Finding(
        about,
        WARNING,
        _("The site runs %(version)s; these nodes don't: %(nodes)s.")
        % {"version": own, "nodes": ", ".join(others)},
        None,
        _("Upgrade each node: drain it, install the site's release and start its worker again."),
        "nodes",
        _("Nodes"),
    )


def _level(age: timedelta, long: timedelta, too_long: timedelta) -> str:
    if age < long:
        return GOOD
    return WARNING if age < too_long else DANGER

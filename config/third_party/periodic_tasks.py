"""What Celery beat starts, and when: seconds between two starts, or a time of day (UTC)."""

from celery.schedules import crontab

HALF_A_DAY = 43_200.0
_STARTS: dict[str, tuple[str, float | crontab]] = {
    # Every job and every other row that waits: see jobs/.
    "wake-waiting": ("jobs.tasks.wake_waiting", 10.0),
    "end-crowd-visits": ("labeling.people.tasks.end_crowd_visits", 60.0),
    "remove-worker-ids": ("labeling.people.tasks.remove_worker_ids", 3600.0),
    "queue-pairs-of-attacks": ("labeling.conversations.red_teaming.tasks.queue_pairs", 60.0),
    "warn-of-floors": ("labeling.campaigns.tasks.warn_of_floors", 21600.0),
    "delete-old-previews": ("training.snapshots.curation.tasks.delete_old_previews", 3600.0),
    "delete-old-exports": ("labeling.data.exports.tasks.delete_old_exports", 3600.0),
    "advance-spot-checks": ("training.spot_checks.tasks.advance_spot_checks", 15.0),
    "advance-trust": ("training.judges.tasks.advance_trust", 60.0),
    "reap-runs": ("training.runs.tasks.reap_runs", 15.0),
    "fire-due-schedules": ("training.schedules.tasks.fire_due_schedules", 30.0),
    "store-people-scores": ("training.benchmarks.scorecards.tasks.store_people_scores", 300.0),
    "queue-judgment-events": ("labeling.queue.tasks.queue_judgment_events", 15.0),
    "deliver-webhooks": ("accounts.tasks.deliver_webhooks", 10.0),
    "note-worker": ("training.operations.tasks.note_worker", 30.0),
    "mail-notices": ("accounts.tasks.mail_notices", 30.0),
    "back-up-when-due": ("training.storage.backups.tasks.back_up_when_due", 600.0),
    "tidy-by-night": ("accounts.tasks.tidy_by_night", crontab(hour="3", minute="10")),
    "delete-old-uploads": (
        "labeling.data.imports.tasks.delete_old_uploads",
        crontab(hour="3", minute="20"),
    ),
    "free-by-night": ("training.storage.tasks.free_by_night", crontab(hour="2", minute="40")),
}

# While no worker runs, messages wait: without an end, 42 of them a minute. One that still waits
# when the next is due says nothing new.
SCHEDULE = {
    name: {
        "task": task,
        "schedule": when,
        "options": {"expire_seconds": HALF_A_DAY if isinstance(when, crontab) else when},
    }
    for name, (task, when) in _STARTS.items()
}

"""What Celery beat starts, and when: seconds between two starts, or a time of day (UTC)."""

from celery.schedules import crontab

SCHEDULE = {
    # Every job and every other row that waits: see jobs/.
    "wake-waiting": {"task": "jobs.tasks.wake_waiting", "schedule": 10.0},
    "end-crowd-visits": {"task": "labeling.people.tasks.end_crowd_visits", "schedule": 60.0},
    "remove-worker-ids": {"task": "labeling.people.tasks.remove_worker_ids", "schedule": 3600.0},
    "queue-pairs-of-attacks": {
        "task": "labeling.conversations.red_teaming.tasks.queue_pairs",
        "schedule": 60.0,
    },
    "warn-of-floors": {"task": "labeling.campaigns.tasks.warn_of_floors", "schedule": 21600.0},
    "delete-old-previews": {
        "task": "training.snapshots.curation.tasks.delete_old_previews",
        "schedule": 3600.0,
    },
    "delete-old-exports": {
        "task": "labeling.data.exports.tasks.delete_old_exports",
        "schedule": 3600.0,
    },
    "reap-runs": {"task": "training.runs.tasks.reap_runs", "schedule": 15.0},
    "fire-due-schedules": {"task": "training.schedules.tasks.fire_due_schedules", "schedule": 30.0},
    "store-people-scores": {
        "task": "training.benchmarks.scorecards.tasks.store_people_scores",
        "schedule": 300.0,
    },
    "queue-judgment-events": {
        "task": "labeling.queue.tasks.queue_judgment_events",
        "schedule": 15.0,
    },
    "deliver-webhooks": {"task": "accounts.tasks.deliver_webhooks", "schedule": 10.0},
    "note-worker": {"task": "training.operations.tasks.note_worker", "schedule": 30.0},
    "mail-notices": {"task": "accounts.tasks.mail_notices", "schedule": 30.0},
    "back-up-when-due": {
        "task": "training.storage.backups.tasks.back_up_when_due",
        "schedule": 600.0,
    },
    "tidy-by-night": {
        "task": "accounts.tasks.tidy_by_night",
        "schedule": crontab(hour="3", minute="10"),
    },
    "delete-old-uploads": {
        "task": "labeling.data.imports.tasks.delete_old_uploads",
        "schedule": crontab(hour="3", minute="20"),
    },
    "free-by-night": {
        "task": "training.storage.tasks.free_by_night",
        "schedule": crontab(hour="2", minute="40"),
    },
}

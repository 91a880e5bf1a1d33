"""Backups by schedule, and how long the site keeps what nobody needs any more."""

from config import env

BACKUP_URL = env.text(
    "PREFERABLY_BACKUP_URL",
    "Folder or fsspec URL for backups. Empty: no scheduled backups.",
    default="",
)
BACKUP_EVERY_HOURS = env.integer(
    "PREFERABLY_BACKUP_EVERY", "Hours between two backups.", default="24"
)
BACKUP_KEEP = env.integer(
    "PREFERABLY_BACKUP_KEEP",
    "Number of backups to keep in PREFERABLY_BACKUP_URL; older ones are deleted. 0: all.",
    default="14",
)
KEEP_DAYS = env.integer(
    "PREFERABLY_KEEP_DAYS",
    "Days until unused weights and checkpoints are deleted. 0: only on the page “Storage”.",
    default="30",
)
KEEP_EXPORTS_DAYS = env.integer(
    "PREFERABLY_KEEP_EXPORTS_DAYS",
    "Days until the file of an export is deleted. Its row and card stay. 0: never.",
    default="30",
)
KEEP_UPLOADS_DAYS = env.integer(
    "PREFERABLY_KEEP_UPLOADS_DAYS",
    "Days until the uploaded file of a finished import is deleted. Its rows stay. 0: never.",
    default="0",
)
KEEP_LOGS_DAYS = env.integer(
    "PREFERABLY_KEEP_LOGS_DAYS",
    "Days until the folder of a finished run is deleted on its node: logs, and what the run's page"
    " does not show. Runs with checkpoints are left. 0: never.",
    default="0",
)
KEEP_ADDRESSES_DAYS = env.integer(
    "PREFERABLY_KEEP_ADDRESSES_DAYS",
    "Days until the IP addresses of log-ins and failed log-ins are deleted from the audit log. The"
    " entries stay. 0: never.",
    default="90",
)
KEEP_AUDIT_DAYS = env.integer(
    "PREFERABLY_KEEP_AUDIT_DAYS",
    "Days until entries of the audit log are deleted. 0: never.",
    default="0",
)

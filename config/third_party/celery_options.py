"""How Celery's workers take messages and end. URLs, queues and the schedule are in the settings."""

OPTIONS: dict[str, object] = {
    "CELERY_TASK_ACKS_LATE": True,
    "CELERY_TASK_REJECT_ON_WORKER_LOST": True,
    "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
    "CELERY_WORKER_DISABLE_PREFETCH": True,
    # By default kombu restores unacknowledged messages only every 100 s.
    "CELERY_BROKER_TRANSPORT_OPTIONS": {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        # A request that queues a run must not wait for a broker that cannot be reached.
        "socket_connect_timeout": 3,
    },
    "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP": True,
    # A node trains on every core, so the process for its next run may be slow to start; by default,
    # Celery kills it after 4 s.
    "CELERY_WORKER_PROC_ALIVE_TIMEOUT": 600,
    # A worker survives any outage of its broker: it keeps reconnecting.
    "CELERY_BROKER_CONNECTION_MAX_RETRIES": None,
    "CELERY_WORKER_CONSUMER": "config.third_party.consumer:Consumer",
    # Beat stores when it last sent a task only every three minutes by default. The operations page
    # tells by it whether beat works.
    "CELERY_BEAT_SYNC_EVERY": 5,  # tasks: about ten seconds
    "CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT": 60,
    "CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS": True,
}

"""The child process: the only home of torch, transformers and trl. Knows no Django and no Celery.

Importing anything from here switches telemetry off first: transformers and trl read these variables
when they are imported.
"""

import os

os.environ.update(
    HF_HUB_DISABLE_TELEMETRY="1",
    DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    TOKENIZERS_PARALLELISM="false",
    WANDB_DISABLED="true",
    TRL_EXPERIMENTAL_SILENCE="1",
)

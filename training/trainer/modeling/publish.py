"""Sends a model or a dataset to a hub: python -m training.trainer.modeling.publish, with a job as
JSON on stdin.

    in:   a PublishJob (training.processes.json_lines)
    out:  lines of PublishLine: {"sent": …, "total": …} …, then {"address": …} or {"error": …}

The token is HF_TOKEN, the hub HF_ENDPOINT where it is not Hugging Face's. Each file is sent by
itself, and a commit at the end makes them visible together: what broke off has changed nothing
there.
"""

import json
import os
import sys
from pathlib import Path

os.environ.update(
    HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_OFFLINE="0"
)

import httpx2  # after the environment, which huggingface_hub reads when it is imported
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from training.processes.json_lines import PublishJob


def main() -> int:
    job = json.loads(sys.stdin.readline())
    try:
        say(address=send(job))
    except HfHubHTTPError as problem:
        words = problem.server_message or str(problem).splitlines()[0]
        say(error=f"The hub refused it ({problem.response.status_code}): {words}"[:500])
    except (httpx2.HTTPError, OSError) as problem:
        say(error=f"The hub did not answer ({type(problem).__name__}).")
    return 0


def send(job: PublishJob) -> str:
    """Uploads it and returns its URL."""
    api = HfApi(token=os.environ["HF_TOKEN"])
    repository, kind = job["repository"], job["type"]
    folder = Path(job["folder"])
    operations = [CommitOperationAdd(name, text.encode()) for name, text in job["texts"].items()]
    operations += [
        CommitOperationAdd(name, folder / name) for name in job["files"] if name not in job["texts"]
    ]
    total, sent = sum(upload.upload_info.size for upload in operations), 0
    say(sent=0, total=total)
    api.create_repo(repository, private=job["is_private"], repo_type=kind, exist_ok=True)
    for operation in operations:
        api.preupload_lfs_files(repository, [operation], repo_type=kind)
        sent += operation.upload_info.size
        say(sent=sent, total=total)
    commit = api.create_commit(
        repository, operations, commit_message="Publish from Preferably", repo_type=kind
    )
    return str(commit.repo_url)


def say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

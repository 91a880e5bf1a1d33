"""Speaks the run folder's protocol without torch: counts steps, saves them, and misbehaves as
script.json says.

It lies in the folder, or in the snapshot's.

script.json: n_steps, pause_s, nan_from (a step: points and metrics are NaN from there),
checkpoint_every, waits_after, waits_in_save (a step, and until there is a file `go`), hang_at,
says_at (how many lines it writes to the log at which step, ten a second), raise_at, kill_at,
only_attempt (that does these), measures (each attempt's precision), print_at_end, result_at_end,
responses, error, answers (a list for each attempt, written at its start), folds_at (the first
attempt has measured two at this step).
Run by the supervisor: python -m tests.training.runs.stand_in_child RUN_DIR.
"""

import json
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from training.processes import run_dir


def main(path: Path) -> int:
    job = run_dir.read_job(path)
    folder = run_dir.RunFolder(path, job.attempt)
    script = _script(path, Path(job.snapshot))
    n_steps = script.get("n_steps", 4)
    first = _resume(path)
    (path / f"resumed-{job.attempt}-at-{first}").touch()
    folder.append_lines(run_dir.ANSWERS, _answers(script, job.attempt))
    if "measures" in script:
        name = job.auto_dtype or script["measures"][job.attempt - 1]
        folder.append_note(f"Precision: {name}.", auto_dtype=name)
    for step in range(first + 1, n_steps + 1):
        _misbehave(script, step, job.attempt)
        if step == script.get("folds_at") and job.attempt == 1:
            run_dir.write_json(path / run_dir.FOLDS, [{"fold": 1}, {"fold": 2}])
        time.sleep(script.get("pause_s", 0))
        is_broken = step >= script.get("nan_from", n_steps + 1)
        folder.append_point(step, n_steps, {"loss": math.nan if is_broken else 1.0 / step})
        is_stopped = run_dir.is_stop_requested(path)
        if is_stopped or (
            script.get("checkpoint_every") and step % script["checkpoint_every"] == 0
        ):
            _save(folder, step, script)
        if is_stopped:
            return _end(folder, script, "stopped", step)
        if step == script.get("waits_after"):
            _wait(folder, script)
    scores = {"length": 3} | ({"reward": math.nan} if "nan_from" in script else {})
    folder.append_sample(n_steps, "What is nine?", "Three times three.", scores)
    folder.append_note("2 of 10 rows were cut.")
    return _end(folder, script, "succeeded", n_steps)


def _script(*folders: Path) -> dict[str, Any]:
    for file in (folder / "script.json" for folder in folders):
        if file.exists():
            script: dict[str, Any] = json.loads(file.read_text())
            return script
    return {}


def _answers(script: dict[str, Any], attempt: int) -> list[dict[str, Any]]:
    lists = script.get("answers", [])
    return list(lists[attempt - 1]) if attempt <= len(lists) else []


def _resume(path: Path) -> int:
    checkpoint = run_dir.newest_checkpoint(path)
    return run_dir.checkpoint_step(checkpoint) if checkpoint else 0


def _save(folder: run_dir.RunFolder, step: int, script: dict[str, Any]) -> None:
    with folder.checkpoint(step, keep=2) as aside:
        (aside / "state.json").write_text(json.dumps({"step": step}))
        if step == script.get("waits_in_save"):
            _wait(folder, script)


def _wait(folder: run_dir.RunFolder, script: dict[str, Any]) -> None:
    """Stands still until the test lets it go, however busy the machine is; a request to stop ends
    the wait as well.
    """
    if script.get("only_attempt", folder.attempt) != folder.attempt:
        return
    while not (folder.path / "go").exists() and not run_dir.is_stop_requested(folder.path):
        time.sleep(0.02)


def _misbehave(script: dict[str, Any], step: int, attempt: int) -> None:
    if script.get("only_attempt", attempt) != attempt:
        return
    for number in range(script.get("says_at", {}).get(str(step), 0)):
        sys.stdout.write(f"Tokenised {number} prompts.\n")
        sys.stdout.flush()
        time.sleep(0.1)
    if step == script.get("hang_at"):
        time.sleep(600)
    if step == script.get("kill_at"):
        os.kill(os.getpid(), signal.SIGKILL)
    if step == script.get("raise_at"):
        raise {"MemoryError": MemoryError, "OSError": OSError}.get(
            script.get("raises", ""), RuntimeError
        )(script.get("says", "x"))


def _end(folder: run_dir.RunFolder, script: dict[str, Any], outcome: str, n_steps: int) -> int:
    if script.get("error"):
        folder.write_result(run_dir.Result(outcome="failed", error=script["error"]))
        return run_dir.EXIT_ANTICIPATED
    model = None
    if "answers" in script:
        pass
    elif "responses" in script:
        folder.append_lines(run_dir.RESPONSES, script["responses"])
    else:
        model = "model"
        with folder.published(folder.path / model) as aside:
            (aside / "config.json").write_text("{}")
    folder.write_result(
        run_dir.Result(
            outcome=outcome,
            metrics={
                "loss_before": 2.0,
                "loss_after": math.nan if "nan_from" in script else 1.0,
            },
            model=model,
            responses=run_dir.RESPONSES if "responses" in script else None,
            answers=run_dir.ANSWERS if "answers" in script else None,
            versions={"python": sys.version.split()[0]},
            n_steps=n_steps,
        )
    )
    return run_dir.EXIT_FINISHED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

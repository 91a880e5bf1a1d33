"""One run, from config.json to result.json: python -m training.trainer RUN_DIR

Exit code 0: succeeded or stopped. 3: a failure that was anticipated, its sentence in result.json.
4: a newer attempt owns the folder. Anything else is a crash with its traceback on stderr. Nothing
that imports torch may be imported here before `_settle`.
"""

import argparse
import dataclasses
import errno
import gc
import importlib
import json
import os
import platform
import resource
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from training.configs import kinds
from training.configs.cost import estimates
from training.configs.knobs import Settings
from training.processes import linux, not_numbers, run_dir
from training.processes.run_dir import AnticipatedFailure, Job, Result, RunFolder

_GIB = 1024**3


class UnableToReadJob(AnticipatedFailure):
    """The job itself is wrong."""


class UnableToMeasure(AnticipatedFailure):
    """Some of the run's measures are not numbers."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training.trainer", description=__doc__)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument(
        "--supervisor", type=int, default=None, help="exit when the process with this id ends"
    )
    options = parser.parse_args(arguments)
    _die_with_parent(options.supervisor)
    job = run_dir.read_job(options.run_dir)
    folder = RunFolder(options.run_dir.absolute(), job.attempt)
    try:
        folder.refuse_if_stale()
        return _carry_out(job, folder)
    except run_dir.StaleAttempt as error:
        sys.stderr.write(f"{error}\n")
        return run_dir.EXIT_STALE


def _carry_out(job: Job, folder: RunFolder) -> int:
    try:
        config = _config(job)
        _settle(job, allows_hub=config.allows_hub)
        kind = trainer(job.kind)
        # Not where nothing is computed: the kind does without torch, or an endpoint answers.
        tells_precision = "torch" in sys.modules and job.endpoint is None
        from training.trainer import curves, parallel  # noqa: PLC0415  # torch: after `_settle`
        from training.trainer.modeling import precision  # noqa: PLC0415  # as above

        if parallel.n_processes() > 1:
            folder = parallel.joined(folder)
        if tells_precision:
            auto = precision.auto_dtype(config, kept=job.auto_dtype, from_first=folder.from_first)
            folder.append_note(precision.sentence(config, job.auto_dtype), auto_dtype=auto)
            config = precision.settled(config, auto)
        with curves.reporting(folder, job) as reporting:
            result: Result = kind.carry_out(job, config, reporting)
        _refuse_broken(result, folder)
    except (AnticipatedFailure, RuntimeError, MemoryError, OSError, ValueError) as error:
        sentence = anticipated(error)
        if not sentence:
            raise
        folder.write_result(Result("failed", error=sentence, versions=_versions(job)))
        sys.stderr.write(f"{sentence}\n")
        return run_dir.EXIT_ANTICIPATED
    if not folder.rank:
        run_dir.remove_temporary(folder.path)
    folder.write_result(
        dataclasses.replace(
            result, versions=_versions(job), metrics=result.metrics | _shape(job) | _peak_memory()
        )
    )
    parallel.destroy_process_group()
    return run_dir.EXIT_FINISHED


def _refuse_broken(result: Result, folder: RunFolder) -> None:
    if broken := not_numbers.sentence(folder.path, result.metrics):
        raise UnableToMeasure(broken)


def anticipated(error: BaseException) -> str:
    """The sentence for a person, or "" when this is a bug. torch raises RuntimeErrors that differ
    only in their text.
    """
    text = str(error)
    if isinstance(error, AnticipatedFailure):
        return text
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return (
            "The node ran out of memory. Lower the batch size or the max row length, or use LoRA,"
            " then start again."
        )
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if is_full or "PytorchStreamWriter" in text or "No space left on device" in text:
        return (
            "The disk became full while the run was saving. Make room on the node and start the run"
            " again."
        )
    if "is incompatible with Mamba" in text:
        return "LoRA can't adapt models of this family. Choose full fine-tuning."
    if "probability tensor contains" in text:
        return (
            "The model computes values that are infinite or not numbers, so it can't be sampled"
            " from. Choose another model or compute in float32. If the run trains, lower the"
            " learning rate."
        )
    return ""


def _config(job: Job) -> Settings:
    config, problems = kinds.parse(job.kind, job.config)
    if config is None:
        raise UnableToReadJob(" ".join(problem.sentence for problem in problems))
    return config.for_dry_run() if job.is_dry else config


def trainer(kind: str) -> ModuleType:
    """The module of this kind, with `carry_out(job, config, folder) -> Result`."""
    name = kinds.trainer_of(kind)
    gc.disable()  # torch and trl are a million objects that stay: 3.1 s to import in place of 4.0
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UnableToReadJob(
            f"This node cannot carry out {kind} runs: it has no module {name}."
        ) from error
    finally:
        gc.freeze()  # so that it is not searched during training
        gc.enable()


def _settle(job: Job, *, allows_hub: bool) -> None:
    """Sets the environment variables that torch and transformers read on import: the number of
    threads, and whether the hub may be called.
    """
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(max(job.threads, 1))
    # Threads that wait for one another spin by default, and compete with everything else that needs
    # the core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = os.environ[
        "HF_DATASETS_OFFLINE"
    ] = "0" if allows_hub else "1"
    os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"  # ten lines a second in the log


def _die_with_parent(supervisor: int | None) -> None:
    """Ends this process when its parent ends, so that no old copy of a run continues. Also handles
    a parent that has already exited.
    """
    parent = os.getppid()
    linux.die_with_parent(signal.SIGKILL)
    is_orphan = (
        parent == 1 and "LOCAL_RANK" in os.environ
    )  # the launcher was gone before the first line here
    if os.getppid() != parent or supervisor not in (None, parent) or is_orphan:
        sys.stderr.write("The supervisor of this run is gone.\n")
        sys.exit(run_dir.EXIT_STALE)


def _shape(job: Job) -> dict[str, object]:
    """The size of the model that the run started from, for the estimates of later runs. Empty for a
    hub name.
    """
    path = Path(job.model) / "config.json"
    shape = (
        estimates.shape_of(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    )
    return {"shape": shape.as_json()} if shape else {}


def _peak_memory() -> dict[str, float]:
    """Of the GPU if there is one, otherwise of this process. If torch is not imported by now,
    nothing was computed.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return {"peak_memory_gb": round(torch.cuda.max_memory_allocated() / _GIB, 2)}
    return {
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _GIB, 2)
    }


def _device() -> str:
    """Only runs on the same device can be compared by speed."""
    torch = sys.modules.get("torch")
    return (
        torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else "CPU"
    )


def _versions(job: Job) -> dict[str, str]:
    packages = ("torch", "transformers", "trl", "peft", "accelerate")
    return {name: version(name) for name in packages} | {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": str(job.threads),
        "device": _device(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

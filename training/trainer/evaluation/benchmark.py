"""A benchmark: a model's answers to the items of suites, in batches. Produces answers.jsonl, which
scorers read once the run has ended.
"""

import gc
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import torch

from training.configs.evaluation.attack import AttackConfig
from training.configs.evaluation.benchmark import LM_EVAL, BenchmarkConfig
from training.processes import run_dir
from training.processes.run_dir import Job, Result, RunFolder, counted
from training.processes.run_lines import AnswerLine, shown_prompt
from training.trainer import data, parallel
from training.trainer.evaluation import endpoint, harness, items, lengths
from training.trainer.evaluation.answerers import Answerer, LanguageModel, RewardModel
from training.trainer.evaluation.attacks.attacking import Attacking
from training.trainer.evaluation.attacks.attempts import attempts
from training.trainer.evaluation.harness import HarnessRun, UnableToRunTask
from training.trainer.evaluation.items import Item, Key
from training.trainer.modeling import loading, precision
from training.trainer.reward.scoring import TextJudge

_MAX_REASONS = 5
_MAX_NAMED = 5
"""items named for each reason"""
_DRY_RUN_BATCHES = 2


@dataclass
class _Benchmark:
    """The state of the run. `tasks`: the items of each task of lm-evaluation-harness; `done`: the
    items that have their row.
    """

    job: Job
    config: BenchmarkConfig
    folder: RunFolder
    batches: list[list[Item]]
    tasks: list[list[Item]]
    done: set[Key]
    n_shown: int = 0
    n_answered: int = 0
    seconds: float = 0.0

    @property
    def waiting(self) -> list[tuple[int, list[Item]]]:
        """(step, batch) for batches with an item to answer."""
        return [
            (step, batch)
            for step, batch in enumerate(self.batches, start=1)
            if any(item.key not in self.done for item in batch)
        ]

    @property
    def n_steps(self) -> int:
        return len(self.batches) + sum(map(self.steps_of, self.tasks))

    def steps_of(self, task: Sequence[Item]) -> int:
        """A task has as many steps as its items would make batches."""
        return math.ceil(len(task) / self.config.batch_size)

    @property
    def items_per_s(self) -> float:
        return self.n_answered / max(self.seconds, 1e-9)


def carry_out(job: Job, config: BenchmarkConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    if job.endpoint is not None and folder.rank:
        return Result("succeeded")  # the first process asks the endpoint alone
    if job.endpoint is None:
        parallel.connect()
    tested = items.read(Path(job.snapshot), config)
    if isinstance(config, AttackConfig):
        tested = attempts(tested, config, with_attacker=job.attacker_model is not None)
    tasks = items.by_suite([item for item in tested if item.kind == LM_EVAL])
    if tasks:
        harness.require_installed()
    others = [item for item in tested if item.kind != LM_EVAL]
    batches = items.batches(others, config.batch_size)
    if job.is_dry:
        batches, tasks = batches[:_DRY_RUN_BATCHES], tasks[:1]
    asks_endpoint = job.endpoint is not None or job.attacker_endpoint is not None
    done = items.resume(folder, repeats_missing=asks_endpoint)
    if job.endpoint is None:
        # The first process has the file of an earlier attempt; one on another machine has none.
        done = parallel.gathered({folder.rank: done})[0]
    run = _Benchmark(job, config, folder, batches, tasks, done)
    _say_what_is_asked(run, tested)
    outcome = _answer_with_model(run) if batches else "succeeded"
    if tasks and outcome == "succeeded":
        outcome = _run_tasks(run)
    if folder.rank:
        return Result(outcome)
    metrics = _metrics(run) | {"seconds": round(time.monotonic() - started_at, 1)}
    return Result(outcome, metrics=metrics, answers=run_dir.ANSWERS, n_steps=run.n_steps)


def _answer_with_model(run: _Benchmark) -> str:
    with _answerer(run.job, run.config) as answerer:
        reader = answerer.target if isinstance(answerer, Attacking) else answerer
        if isinstance(reader, LanguageModel | RewardModel):
            asked = [item for batch in run.batches for item in batch]
            lengths.require_room(asked, reader, Path(run.job.snapshot))
        _say_what_is_answered(run, reader)
        return _answer_all(run, answerer)


@contextmanager
def _answerer(job: Job, config: BenchmarkConfig) -> Iterator[Answerer]:
    with ExitStack() as models:
        target = models.enter_context(_model(job, config))
        if not isinstance(config, AttackConfig):
            yield target
            return
        attacker = None
        if job.attacker_model is not None:
            own = replace(job, model=job.attacker_model, endpoint=job.attacker_endpoint)
            attacker = models.enter_context(_model(own, config))
        yield Attacking(target, attacker, config)


@contextmanager
def _model(job: Job, config: BenchmarkConfig) -> Iterator[Answerer]:
    if job.endpoint is not None:
        dtype = precision.dtype(config.dtype)
        judge = TextJudge(job.reward_model, dtype) if job.reward_model else None
        with endpoint.answering(job, config, judge) as remote:
            yield remote
    elif loading.is_reward_model(job.model):
        yield RewardModel(job, config)
    else:
        yield LanguageModel(job, config)


def _answer_all(run: _Benchmark, answerer: Answerer) -> str:
    """The outcome: succeeded or stopped."""
    n_at_once = parallel.n_processes() if answerer.is_shared else 1
    for at_once in data.batches(run.waiting, n_at_once):
        if _is_stop_requested(run.folder, answerer):
            return "stopped"
        started_at = time.monotonic()
        batches = [batch for _step, batch in at_once]
        if answerer.is_shared:
            own = {number: answerer.answer(batch) for number, batch in parallel.own_part(batches)}
            answered = parallel.gathered(own)
        else:
            answered = [answerer.answer(batch) for batch in batches]
        run.seconds += time.monotonic() - started_at
        run_dir.ensure_free_space(run.folder.path, 0, "writing answers")
        for (step, batch), rows in zip(at_once, answered, strict=True):
            _store(run, step, batch, rows)
        answerer.check()
    return "succeeded"


def _run_tasks(run: _Benchmark) -> str:
    """The same for the tasks, each in a process of its own and with the memory to itself. Each
    process of a run starts its own share of them.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    errors = []
    waiting = [task for task in run.tasks if any(item.key not in run.done for item in task)]
    step = run.n_steps - sum(map(run.steps_of, waiting))
    for at_once in data.batches(waiting, parallel.n_processes()):
        started_at = time.monotonic()
        answered = _run_at_once(run, at_once, step)
        if answered is None:
            return "stopped"
        run.seconds += time.monotonic() - started_at
        for task, answers in zip(at_once, answered, strict=True):
            step += run.steps_of(task)
            errors += [answers.error] if answers.error else []
            if not answers.error or run.n_answered or run.done:
                _store(run, step, task, answers.rows)
            _show_samples(run, step, answers.shown)
    if errors and parallel.decided_by_first(lambda: not _has_answers(run.folder)):
        raise UnableToRunTask(f"lm-evaluation-harness failed: {errors[0]}")
    return "succeeded"


def _has_answers(folder: RunFolder) -> bool:
    return not all(row["missing"] for row in items.written(folder))


def _run_at_once(
    run: _Benchmark, tasks: Sequence[list[Item]], step: int
) -> list[harness.Answers] | None:
    """What the tasks answered, one a process; None if the run is to stop."""
    own = parallel.own_part(tasks)
    with ExitStack() as running:
        mine = {
            number: running.enter_context(HarnessRun(task, run.job, run.config, run.folder))
            for number, task in own
        }

        shown = {step}

        def show(share_done: float) -> None:
            now_at = step + math.floor(share_done * run.steps_of(tasks[0]))
            if now_at not in shown:
                shown.add(now_at)
                run.folder.append_point(now_at, run.n_steps, {})

        if not harness.finished(next(iter(mine.values()), None), run.folder, show):
            return None
        return parallel.gathered({number: group.answers() for number, group in mine.items()})


def _show_samples(run: _Benchmark, step: int, samples: Sequence[tuple[str, str]]) -> None:
    for prompt, response in samples[: run.config.n_shown - run.n_shown]:
        run.n_shown += 1
        run.folder.append_sample(step, prompt, response, {})


def _is_stop_requested(folder: RunFolder, answerer: Answerer) -> bool:
    return (
        folder.is_stop_requested() if answerer.is_shared else run_dir.is_stop_requested(folder.path)
    )


def _store(run: _Benchmark, step: int, batch: Sequence[Item], rows: Sequence[AnswerLine]) -> None:
    new = [row for row in rows if items.key_of(row) not in run.done]
    run.folder.append_lines(run_dir.ANSWERS, new)
    run.n_answered += len(rows)
    run.folder.append_point(step, run.n_steps, {"items_per_s": run.items_per_s})
    for item, row in zip(batch, rows, strict=True):
        if item.messages and row["text"] and run.n_shown < run.config.n_shown:
            run.n_shown += 1
            scores: dict[str, object] = {"is_ended": row["is_ended"]}
            if "reward" in row["values"]:
                scores["reward"] = round(row["values"]["reward"], 3)
            run.folder.append_sample(step, shown_prompt(item.messages), row["text"], scores)


def _metrics(run: _Benchmark) -> dict[str, object]:
    """Of all rows, also those of earlier attempts; the pace is that of this one."""
    n_items, reasons = 0, dict[str, list[str]]()
    keys = {item.pk: str(item.row["key"]) for batch in run.batches for item in batch}
    ended: list[bool] = []
    rewards: list[float] = []
    for row in items.written(run.folder):
        n_items += 1
        if row["missing"]:
            reasons.setdefault(row["missing"], []).append(keys.get(row["item"], str(row["item"])))
        ended += [row["is_ended"]] if row["is_ended"] is not None and not row["missing"] else []
        rewards += [row["values"]["reward"]] if "reward" in row["values"] else []
    _say_what_is_missing(run.folder, n_items, reasons)
    if not reasons and run.done and run.n_answered:
        run.folder.append_note("Each item has an answer now.")
    n_missing = sum(map(len, reasons.values()))
    metrics: dict[str, object] = {"n_items": n_items, "n_missing": n_missing}
    if rewards:
        metrics["reward"] = fmean(rewards)
    if ended:
        metrics["ended"] = fmean(ended)
    if isinstance(run.config, AttackConfig):
        metrics["n_goals"] = len({row["item"] for row in items.written(run.folder)})
    return metrics | ({"items_per_s": run.items_per_s} if run.n_answered else {})


def _say_what_is_asked(run: _Benchmark, tested: Sequence[Item]) -> None:
    n_suites = len({item.suite for item in tested})
    what = "attempt" if isinstance(run.config, AttackConfig) else "item"
    note = f"{counted(len(tested), what)} of {counted(n_suites, 'suite')}."
    if run.done:
        note += f" Resumed: {len(run.done)} were already done."
    run.folder.append_note(note)


def _say_what_is_answered(run: _Benchmark, answerer: Answerer) -> None:
    if isinstance(answerer, LanguageModel) and answerer.is_plain:
        run.folder.append_note(
            "The model has no chat template: it reads each conversation as plain text, “User:"
            " …” and “Assistant:”, and its answer ends where it begins the user's next turn."
        )


def _say_what_is_missing(
    folder: RunFolder, n_items: int, reasons: Mapping[str, Sequence[str]]
) -> None:
    """`reasons`: why there is no answer → the ids of such items in their files."""
    if not reasons:
        return
    often = sorted(reasons.items(), key=lambda reason: -len(reason[1]))[:_MAX_REASONS]
    named = [f"{len(keys)} × {reason} {_some(keys)}" for reason, keys in often]
    folder.append_note(
        f"{sum(map(len, reasons.values()))} of {counted(n_items, 'item')} have no answer, and are"
        f" not scored. {' '.join(named)}"
    )


def _some(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _MAX_NAMED} more" if len(keys) > _MAX_NAMED else ""
    return f"({', '.join(sorted(keys)[:_MAX_NAMED])}{more})"

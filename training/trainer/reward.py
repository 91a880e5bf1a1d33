"""A reward model from rankings, through TRL's RewardTrainer: every decided pair of a ranking is one row."""

import time
from pathlib import Path

import datasets
import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl.trainer import reward_config
from trl.trainer.reward_trainer import RewardTrainer

from training.configs import RewardConfig
from training.run_dir import Job, Result, RunFolder, newest_checkpoint
from training.trainer import data, loading, progress
from training.trainer.data import Pair, Pairs


class WatchedReward(progress.Watched, RewardTrainer):
    """TRL's trainer with our progress, checkpoints and stop."""


def carry_out(job: Job, config: RewardConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    tokenizer = loading.load_tokenizer(job.model)
    read, train, split, held_out = _read(Path(job.snapshot), tokenizer, config)
    _tell(folder, read, train, split, held_out, config)

    model = loading.load_reward(job.model, tokenizer, progress.starting_numbers(config))
    loading.require_length(model, config.max_tokens)
    numbers = loading.dtype(config.dtype)
    before = pair_measures(model, tokenizer, held_out, config.batch_size, numbers)

    trainer = WatchedReward(
        model=model,
        args=reward_config.RewardConfig(
            center_rewards_coefficient=config.centering or None, **progress.arguments(config, folder)
        ),
        train_dataset=datasets.Dataset.from_list([{"chosen_ids": pair.chosen, "rejected_ids": pair.rejected} for pair in train]),
        processing_class=tokenizer,
        peft_config=loading.lora(config, is_reward=True) if config.method == "lora" else None,
    )
    follower = progress.Follower(
        folder, config, lambda: pair_measures(loading.bare(trainer.model), tokenizer, held_out, config.batch_size, numbers)
    )
    trainer.follow(follower)
    if newest_checkpoint(folder.path) is None:
        folder.append_point(0, progress.n_steps(trainer), before)
    is_stopped = progress.train(trainer)

    whole = loading.merged(trainer.model, numbers)
    after = pair_measures(whole, tokenizer, held_out, config.batch_size, numbers)
    follower.finish(after)
    loading.save_whole(folder, job.output, whole, tokenizer)
    metrics = {
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        "held_out_split": split,
        "n_held_out_pairs": len(held_out),
        "n_train_pairs": len(train),
        "n_ties": read.n_ties,
        "n_pairs_too_long": read.n_too_long,
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(outcome, metrics=metrics, model=job.output, n_steps=trainer.state.global_step)


@torch.no_grad()
def pair_measures(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: list[Pair], batch_size: int, numbers: torch.dtype
) -> dict[str, float]:
    """Share of pairs whose chosen response scores higher (equal scores count half), and mean log-loss; nothing without pairs."""
    if not pairs:
        return {}
    was_training = model.training
    model.eval()
    n_right, loss = 0.0, 0.0
    ordered = sorted(pairs, key=lambda pair: max(len(pair.chosen), len(pair.rejected)))
    for batch in data.batches(ordered, batch_size):
        sequences = [pair.chosen for pair in batch] + [pair.rejected for pair in batch]
        chosen, rejected = scores(model, tokenizer, sequences, numbers).chunk(2)  # (B,), (B,)
        n_right += ((chosen > rejected).float() + 0.5 * (chosen == rejected).float()).sum().item()
        loss -= torch.nn.functional.logsigmoid(chosen - rejected).sum().item()
    model.train(was_training)
    return {"held_out_accuracy": n_right / len(pairs), "held_out_loss": loss / len(pairs)}


def scores(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sequences: list[list[int]], numbers: torch.dtype
) -> torch.Tensor:
    """The reward of each whole conversation. (B,)"""
    ids, mask = data.padded(sequences, tokenizer.pad_token_id)
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=numbers == torch.bfloat16):
        return loading.last_token_rewards(model, ids.to(model.device), mask.to(model.device))


def _read(snapshot: Path, tokenizer: PreTrainedTokenizerBase, config: RewardConfig) -> tuple[Pairs, list[Pair], str, list[Pair]]:
    """(what the training split holds, the pairs to train on, the held-out split, its pairs)."""
    read = data.pairs(tokenizer, data.training_rows(snapshot, "responses"), config.max_tokens)
    if not read.pairs:
        raise data.UnableToRead(
            f"The snapshot holds no pair to learn from: {read.n_ties} ties and {read.n_too_long} pairs longer than "
            f"{config.max_tokens} tokens. Collect more comparisons, or raise the longest row."
        )
    train = data.sample_of(read.pairs, config.max_rows, config.seed)
    split, rows = data.held_out_rows(snapshot)
    held_out = data.sample_of(data.pairs(tokenizer, rows, config.max_tokens).pairs, config.max_held_out_rows, config.seed)
    return read, train, split, held_out


def _tell(folder: RunFolder, read: Pairs, train: list[Pair], split: str, held_out: list[Pair], config: RewardConfig) -> None:
    note = f"{len(train)} of {len(read.pairs)} pairs to learn from, {len(held_out)} held out ({split or 'no held-out split'})."
    note += f" {read.n_ties} ties teach nothing and were dropped."
    if read.n_too_long:
        note += f" {read.n_too_long} pairs were left out: longer than {config.max_tokens} tokens."
    folder.append_note(note)

"""Pretraining: next-token training on text, from a model's weights or from random ones of the same
shape, through TRL's SFTTrainer.
"""

import itertools
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from datasets import Features, List, Value
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast
from trl.trainer.sft_config import SFTConfig

from training.configs.pretrain import PretrainConfig
from training.processes.run_dir import Job, Result, RunFolder, counted, newest_checkpoint
from training.trainer import data, progress, sft
from training.trainer.data import Example
from training.trainer.modeling import chat_template, loading, precision, sharding

logger = logging.getLogger(__name__)

DOCUMENTS_AT_ONCE = 100
SAY_EVERY_S = 10.0
"""How often the log says how far it is. A log that grows is a sign of life for the supervisor."""
_FEATURES = Features({name: List(Value("int32")) for name in ("input_ids", "labels")})
N_STRETCHES = 30
"""into which held-out blocks are divided for the interval of the loss"""
PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content']"
    " }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML, so that a model with a tokenizer of its own can be fine-tuned on conversations."""


@dataclass(frozen=True)
class _Blocks:
    train: datasets.Dataset
    held_out: list[Example]
    split: str
    n_documents: int
    n_tokens: int


def carry_out(job: Job, config: PretrainConfig, folder: RunFolder) -> Result:
    started_at = time.monotonic()
    torch.set_num_threads(max(job.threads, 1))
    transformers.set_seed(config.seed)
    tokenizer = _tokenizer(job, config)
    blocks = _read(Path(job.snapshot), tokenizer, config, folder)
    _tell(folder, blocks, config)

    model = _model(job, tokenizer, config)
    loading.require_length(model, config.max_tokens)
    dtype = precision.dtype(config.dtype)
    trainer = sft.WatchedSft(
        model=model,
        args=SFTConfig(max_length=config.max_tokens, **progress.arguments(config, folder)),
        train_dataset=blocks.train,
        processing_class=tokenizer,
        peft_config=loading.lora(config, is_reward=False) if config.method == "lora" else None,
    )
    sharding.shard(trainer)

    def losses(model: PreTrainedModel) -> list[sft.RowLoss]:
        return sft.row_losses(model, blocks.held_out, config.batch_size, dtype)

    def measured(model: PreTrainedModel) -> float | None:
        return sft.mean_loss(losses(model))

    at_start = losses(sharding.in_training(trainer))
    before = sft.mean_loss(at_start)
    follower = progress.Follower(
        folder, config, lambda: _named(measured(sharding.in_training(trainer)))
    )
    trainer.follow(follower)
    if newest_checkpoint(folder.path) is None:
        folder.append_point(0, progress.n_steps(trainer), _named(before))
    is_stopped = progress.train(trainer)

    trained, whole = sharding.finished(trainer, dtype)
    at_end = losses(trained)
    after = sft.mean_loss(at_end)
    follower.finish(_named(after), trainer.state)
    loading.save_whole(folder, job.output, whole, tokenizer)
    metrics = {
        "held_out_loss_before": before,
        "held_out_loss_after": after,
        **sft.change_of_loss(at_start, at_end, stretches(len(at_start))),
        "held_out_split": blocks.split,
        "n_held_out": len(blocks.held_out),
        "n_train": len(blocks.train),
        "n_documents": blocks.n_documents,
        "n_tokens": blocks.n_tokens,
        "n_parameters": sum(weight.numel() for weight in whole.parameters()),
        "perplexity": sft.perplexity(after) if after is not None else None,
        "seconds": round(time.monotonic() - started_at, 1),
    }
    outcome = "stopped" if is_stopped else "succeeded"
    return Result(outcome, metrics=metrics, model=job.output, n_steps=trainer.state.global_step)


def blocks(written: Iterable[list[int]], size: int) -> Iterator[list[int]]:
    """Concatenates documents and splits them into rows of `size` tokens. The rest is dropped."""
    waiting: list[int] = []
    for ids in written:
        waiting += ids
        n_whole = len(waiting) // size * size
        for start in range(0, n_whole, size):
            yield waiting[start : start + size]
        del waiting[:n_whole]


def stretches(n_blocks: int) -> list[int]:
    """Numbers blocks by the stretch that they lie in: a document may go on in the next block, so
    that neighbours belong together (batch means).
    """
    return [number * min(N_STRETCHES, n_blocks) // n_blocks for number in range(n_blocks)]


def text_of(tokenizer: PreTrainedTokenizerBase, row: data.Row) -> str:
    """A document, or a conversation as the chat template writes it, without an end if the response
    was truncated.
    """
    if "text" in row:
        return str(row["text"])
    turns, tools = [*row["prompt"], *row["completion"]], row.get("tools", ())
    if chat_template.has_parts(turns, tools):
        text = chat_template.as_text(tokenizer, turns, tools)
        return text if _is_ended(row) else text[: text.rfind(str(tokenizer.eos_token))]
    written: Any = tokenizer.apply_chat_template(
        turns, tokenize=False, continue_final_message=not _is_ended(row)
    )
    return str(written)


def _is_ended(row: data.Row) -> bool:
    return bool(row.get("is_ended", True))


def own_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer trained on these texts, so that it can encode any text. Padding has
    its own token.
    """
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=learned,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        chat_template=CHAT_TEMPLATE,
    )


def _tokenizer(job: Job, config: PretrainConfig) -> PreTrainedTokenizerBase:
    if config.tokenizer == "model":
        return loading.load_tokenizer(job.model)
    template: Any = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.BPE()), chat_template=CHAT_TEMPLATE
    )
    rows = data.streamed(Path(job.snapshot), "train")
    return own_tokenizer((text_of(template, row) for row in rows), config.vocabulary)


def _model(job: Job, tokenizer: PreTrainedTokenizerBase, config: PretrainConfig) -> PreTrainedModel:
    dtype = progress.starting_dtype(config)
    if config.start == "base":
        return loading.load_policy(job.model, tokenizer, dtype, may_shard=True)
    shape = transformers.AutoConfig.from_pretrained(job.model)
    if config.tokenizer == "own":
        shape.vocab_size = len(tokenizer)
    shape.bos_token_id, shape.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
    shape.pad_token_id = tokenizer.pad_token_id
    model: object = transformers.AutoModelForCausalLM.from_config(shape, dtype=dtype)
    return loading.placed(model, may_shard=True)


def _read(
    snapshot: Path,
    tokenizer: PreTrainedTokenizerBase,
    config: PretrainConfig,
    folder: RunFolder,
) -> _Blocks:
    n_documents = data.require_text(snapshot)
    written = documents(data.streamed(snapshot, "train"), tokenizer)
    if next(blocks(written, config.max_tokens), None) is None:
        raise data.UnableToRead(
            f"The snapshot's {n_documents} documents together do not fill one row of"
            f" {config.max_tokens} tokens. Lower the row length."
        )
    train = data.stored(
        _block_rows,
        folder,
        "train",
        _FEATURES,
        snapshot=snapshot,
        tokenizer=tokenizer,
        max_tokens=config.max_tokens,
    )
    split = data.held_out_split(snapshot)
    kept = train.select(data.sample_of(range(len(train)), config.max_rows, config.seed))
    return _Blocks(
        train=kept,
        held_out=_held_out(snapshot, split, tokenizer, config) if split else [],
        split=split,
        n_documents=n_documents,
        n_tokens=len(kept) * config.max_tokens,
    )


def _held_out(
    snapshot: Path, split: str, tokenizer: PreTrainedTokenizerBase, config: PretrainConfig
) -> list[Example]:
    """The rows that the run measures. The file is read twice, so that no other row is held."""

    def rows() -> Iterator[list[int]]:
        return blocks(documents(data.streamed(snapshot, split), tokenizer), config.max_tokens)

    n_rows = sum(1 for _row in rows())
    drawn = set(data.sample_of(range(n_rows), config.max_held_out_rows, config.seed))
    return [_example(ids) for place, ids in enumerate(rows()) if place in drawn]


def documents(rows: Iterable[data.Row], tokenizer: PreTrainedTokenizerBase) -> Iterator[list[int]]:
    """Each followed by an end, unless it was truncated. In chat models that end is the end of a
    turn.
    """
    rows = iter(rows)
    while batch := list(itertools.islice(rows, DOCUMENTS_AT_ONCE)):
        written: Any = tokenizer(
            [text_of(tokenizer, row) for row in batch], add_special_tokens=False
        )
        for row, ids in zip(batch, written["input_ids"], strict=True):
            yield [*ids, tokenizer.eos_token_id] if _is_ended(row) else ids


def _block_rows(
    parts: Sequence[int], snapshot: Path, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> Iterator[dict[str, object]]:
    said_at, n_tokens = time.monotonic(), 0
    written = documents(data.streamed(snapshot, "train"), tokenizer)
    for ids in blocks(written, max_tokens):
        n_tokens += len(ids)
        if time.monotonic() - said_at > SAY_EVERY_S:
            said_at = time.monotonic()
            logger.warning("Tokenised %s tokens.", n_tokens)
        yield {"input_ids": ids, "labels": ids}


def _example(ids: list[int]) -> Example:
    return Example(ids, ids, is_cut=False)


def _tell(folder: RunFolder, read: _Blocks, config: PretrainConfig) -> None:
    folder.append_note(
        f"{counted(read.n_documents, 'document')}: {counted(len(read.train), 'row')} of"
        f" {config.max_tokens} tokens for training, {len(read.held_out)} held out"
        f" ({read.split or 'no held-out split'})."
    )


def _named(loss: float | None) -> dict[str, float]:
    return {} if loss is None else {"held_out_loss": loss}

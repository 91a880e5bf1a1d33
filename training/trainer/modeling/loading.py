"""Loads and saves models and tokenizers: dtype, a pad token of its own, LoRA adapters and their
merge.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import peft
import safetensors.torch
import torch
import transformers
from peft.utils import ModulesToSaveWrapper
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from arithmetic.answer_parts import CALLED, CHANNELS
from training.configs.weights import Training
from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure, RunFolder, UnableToSave
from training.trainer import parallel
from training.trainer.modeling import chat_template, float32_products, rounding

# Tokens that models reserve for padding or never write. The first one in the vocabulary that is not
# an end of turn is used.
_PAD_CANDIDATES = (
    "<|endoftext|>",
    "<|finetune_right_pad_id|>",
    "<|pad|>",
    "<pad>",
    "[PAD]",
    "<unk>",
)
# Else the byte of a control character (FS), which no text has: in byte-level vocabularies, which
# know the space as Ġ, and others.
_SPACE, _UNUSED_BYTE, _UNUSED_FALLBACK = "Ġ", "Ĝ", "<0x1C>"
_ATTENTION = ["q_proj", "v_proj"]


class UnableToLoad(AnticipatedFailure):
    """The model cannot be used for this run."""


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_tokenizer(
    model: str, *, padding_side: str = "right", plain_template: str = ""
) -> PreTrainedTokenizerBase:
    """With a chat template, and a pad token that is not its end of turn. Raises UnableToLoad
    without either. `plain_template` is used where the tokenizer has no template of its own.
    """
    _require_folder(model)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, padding_side=padding_side)
    except OSError as error:
        raise UnableToLoad(
            f"{model} could not be loaded: it is neither a folder nor a model that this node can"
            " fetch."
        ) from error
    tokenizer.chat_template = tokenizer.chat_template or plain_template or None
    if not tokenizer.chat_template:
        raise UnableToLoad(
            f"The tokenizer of {model} has no chat template, so it is unknown how a conversation is"
            " written. Save one with the tokenizer (chat_template.jinja) and start again."
        )
    if tokenizer.eos_token_id is None:
        raise UnableToLoad(
            f"The tokenizer of {model} has no end-of-turn token (eos_token). Set one in"
            " tokenizer_config.json."
        )
    end_turns_as_the_template_does(tokenizer)
    give_own_pad_token(tokenizer)
    return tokenizer


def end_turns_as_the_template_does(tokenizer: PreTrainedTokenizerBase) -> None:
    """Sets the end of turn (eos_token) to the token that the template writes after a response. Some
    models name the end of a text there instead. Responses would then be trained without an end,
    never end when sampled, and have their reward read after the template's line feed.
    """
    first, second = (
        _ids_of(
            tokenizer,
            [{"role": "user", "content": "Yes or no?"}, {"role": "assistant", "content": answer}],
        )
        for answer in ("Yes", "No")
    )
    backwards = zip(reversed(first), reversed(second), strict=False)
    behind = [
        token for token, _same in itertools.takewhile(lambda pair: pair[0] == pair[1], backwards)
    ][::-1]
    special = {
        number for number, token in tokenizer.added_tokens_decoder.items() if token.special
    } | {*tokenizer.all_special_ids}
    end = next((token for token in behind if token in special), None)
    if end is not None and end != tokenizer.eos_token_id:
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(end)


def _ids_of(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]]) -> list[int]:
    written: Any = tokenizer.apply_chat_template(messages, return_dict=True)
    return list(written["input_ids"])


def ends_of_turn(model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The tokens that end a response of this model: the tokenizer's end of turn, and those in the
    model's generation config.
    """
    settings = getattr(model, "generation_config", None)
    advised = getattr(settings, "eos_token_id", None)
    named = set(advised if isinstance(advised, list) else [advised]) - {None}
    return frozenset({int(end) for end in named} | {int(tokenizer.eos_token_id or 0)})


def give_own_pad_token(tokenizer: PreTrainedTokenizerBase) -> None:
    """If padding used the end of turn, the loss would ignore ends, and rewards would be read in the
    wrong place.
    """
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id != tokenizer.eos_token_id:
        return
    vocabulary = tokenizer.get_vocab()
    bytes_of_no_text = (
        (_UNUSED_FALLBACK, _UNUSED_BYTE) if _SPACE in vocabulary else (_UNUSED_FALLBACK,)
    )
    for token in (*_PAD_CANDIDATES, *bytes_of_no_text):
        if token in vocabulary and token != tokenizer.eos_token:
            tokenizer.pad_token = token
            return
    raise UnableToLoad(
        "The tokenizer has no pad token of its own. Name one in tokenizer_config.json (pad_token)"
        " that is in the vocabulary and is not the end-of-turn token."
    )


def load_policy(
    model: str,
    tokenizer: PreTrainedTokenizerBase,
    dtype: torch.dtype,
    *,
    may_shard: bool = False,
) -> PreTrainedModel:
    """`may_shard`: the run shards it if it shards at all, as it does the model that it trains."""
    _require_folder(model)
    _require_causal(model)
    with parallel.reading(may_shard=may_shard):
        loaded: PreTrainedModel = transformers.AutoModelForCausalLM.from_pretrained(
            model, dtype=dtype
        )
    loaded.config.pad_token_id = tokenizer.pad_token_id
    loaded.generation_config.pad_token_id = tokenizer.pad_token_id
    if chat_template.thinking_of(tokenizer).tags == CHANNELS:
        # A copy of gpt-oss may have lost it with its generation config.
        called = tokenizer.convert_tokens_to_ids(CALLED)
        ends = ends_of_turn(loaded, tokenizer) | ({called} - {None, tokenizer.unk_token_id})
        loaded.generation_config.eos_token_id = sorted(ends)
    return placed(loaded, may_shard=may_shard)


def load_reward(
    model: str,
    tokenizer: PreTrainedTokenizerBase,
    dtype: torch.dtype,
    *,
    may_shard: bool = False,
) -> PreTrainedModel:
    """A language model with a single output instead of the vocabulary. That head is random unless
    `model` is a reward model. `may_shard`: as in `load_policy`.
    """
    _require_folder(model)
    loaded: PreTrainedModel
    try:
        with parallel.reading(may_shard=may_shard):
            loaded = transformers.AutoModelForSequenceClassification.from_pretrained(
                model, num_labels=1, dtype=dtype
            )
    except ValueError as error:
        if "Unrecognized configuration class" not in str(error):
            raise
        raise UnableToLoad(f"{model} is of a kind that can't become a reward model.") from error
    if not hasattr(loaded, "score"):  # what `reward_head` reads; ModernBERT and others differ
        raise UnableToLoad(f"{model} is of a kind that can't become a reward model.")
    loaded.config.pad_token_id = tokenizer.pad_token_id
    return placed(loaded, may_shard=may_shard)


def placed(model: Any, *, may_shard: bool) -> PreTrainedModel:
    """On the GPU, if there is one. A model that will be sharded gets there shard by shard."""
    float32_products.use(model)
    is_sharded = may_shard and parallel.is_sharded()
    return cast("PreTrainedModel", model if is_sharded else model.to(device()))


def is_reward_model(model: str) -> bool:
    """Whether the folder has a reward model (a head with a single output)."""
    _require_folder(model)
    config = transformers.AutoConfig.from_pretrained(model)
    return any("SequenceClassification" in name for name in config.architectures or [])


def require_length(model: PreTrainedModel, max_tokens: int) -> None:
    """Raises UnableToLoad if the model's context is shorter than these rows."""
    longest = getattr(model.config, "max_position_embeddings", None)
    if longest is not None and max_tokens > longest:
        raise UnableToLoad(
            f"The model's context length is {longest} tokens, but the run asks for {max_tokens}."
            " Lower the max row length."
        )


def lora(config: Training, *, is_reward: bool) -> peft.LoraConfig:
    return peft.LoraConfig(
        task_type=peft.TaskType.SEQ_CLS if is_reward else peft.TaskType.CAUSAL_LM,
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules="all-linear" if config.lora_targets == "all-linear" else _ATTENTION,
        modules_to_save=["score"] if is_reward else None,
    )


def with_adapters(
    model: PreTrainedModel, config: peft.LoraConfig
) -> "peft.PeftModel | peft.PeftMixedModel":
    """The model with its adapters, and every trained weight in float32. peft converts the adapters
    alone and would train a head in the precision of the base: in bfloat16, most steps of a head
    are smaller than its rounding.
    """
    adapted = peft.get_peft_model(model, config)
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    for module in adapted.modules():
        if isinstance(module, ModulesToSaveWrapper):
            for head in module.modules_to_save.values():
                head.register_forward_pre_hook(_in_own_precision)
    return adapted


def _in_own_precision(
    head: torch.nn.Module, inputs: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, ...]:
    """A head in float32 takes what a base in bfloat16 gives, also outside autocast."""
    return (inputs[0].to(next(head.parameters()).dtype), *inputs[1:])


def bare(model: object) -> PreTrainedModel:
    """The model with its adapters on, without peft's wrapper."""
    inner: object = model.get_base_model() if isinstance(model, peft.PeftModel) else model
    return cast("PreTrainedModel", inner)


@dataclass(frozen=True)
class Adapter:
    """The LoRA adapter before it is merged. It is small and can be used on its own."""

    config: peft.PeftConfig
    weights: dict[str, torch.Tensor]

    def save(self, folder: Path) -> None:
        """Saves it in peft's format. The model card names its base model, since a path means
        nothing on another machine.
        """
        self.config.inference_mode = True
        self.config.base_model_name_or_path = ""
        self.config.save_pretrained(str(folder))
        safetensors.torch.save_file(
            self.weights, folder / "adapter_model.safetensors", metadata={"format": "pt"}
        )


def merged(model: torch.nn.Module, dtype: torch.dtype) -> PreTrainedModel:
    """Full weights in `dtype`, rounded once: adapters are merged in float32. `save_whole` also
    saves the adapter. Measure what this returns: it is not quite the model that was trained.
    """
    if not isinstance(model, peft.PeftModel):
        return cast("PreTrainedModel", model.to(dtype).eval())
    name = str(model.active_adapter)
    weights = peft.get_peft_model_state_dict(model, adapter_name=name)
    adapter = Adapter(
        model.peft_config[name],
        {key: value.detach().cpu().clone() for key, value in weights.items()},
    )
    whole: Any = model.float().merge_and_unload()
    if dtype == torch.bfloat16:
        rounding.to_bfloat16_values(whole)
    whole = whole.to(dtype).eval()
    whole.merged_adapter = adapter
    return cast("PreTrainedModel", whole)


def save_whole(
    folder: RunFolder, name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Publishes weights (safetensors), config and tokenizer as one folder that any run or server
    loads.
    """
    if folder.rank:
        return
    run_dir.ensure_free_space(folder.path, n_bytes(model), "the model")
    model.config.use_cache = True
    # The folder it was loaded from means nothing on another machine.
    model.config.name_or_path = ""
    try:
        with folder.published(folder.path / name) as aside:
            model.save_pretrained(aside)
            tokenizer.save_pretrained(aside)
            adapter = getattr(model, "merged_adapter", None)
            if adapter is not None:
                adapter.save(aside / run_dir.ADAPTER)
    except safetensors.SafetensorError as error:
        if "No space left" not in str(error):
            raise
        raise UnableToSave(
            "The disk became full while the model was saved. Make room on the node and start the"
            " run again."
        ) from error


def n_bytes(model: torch.nn.Module) -> int:
    return sum(weight.numel() * weight.element_size() for weight in model.parameters())


def _require_folder(model: str) -> None:
    """A path must exist and contain a model. A hub name is resolved by the hub, or by its cache if
    the run may not call the hub.
    """
    path = Path(model)
    if path.is_absolute() and not path.is_dir():
        raise UnableToLoad(
            f"The model folder {model} is not on this node. Register the model again, or put it"
            " back."
        )
    if path.is_absolute() and not (path / "config.json").exists():
        raise UnableToLoad(f"The folder {model} holds no model: its config.json is missing.")


def _require_causal(model: str) -> None:
    """Raises UnableToLoad for encoders and encoder-decoders. transformers loads some of them as
    language models, but their tokens see what follows them, so they learn to copy.
    """
    config = transformers.AutoConfig.from_pretrained(model)
    family = config.model_type
    is_encoder = family in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(
        config, "is_decoder", False
    )
    is_known = family in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if getattr(config, "is_encoder_decoder", False) or is_encoder or not is_known:
        raise UnableToLoad(
            f"{model} is of the family {family}, which does not write text from left to right."
            " Choose a causal language model, such as Llama, Qwen or Mistral."
        )

"""Models and tokenizers: their own pad token, the reward at the right place, and a sentence if they
can't be used.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import ByteLevel
from transformers import BertConfig, PretrainedConfig, PreTrainedTokenizerFast, T5Config

from tests.trainer.modeling import families
from tests.trainer.tiny import build_tokenizer
from training.trainer import data
from training.trainer.modeling import loading, reward_head


def test_a_missing_model_folder_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(loading.UnableToLoad, match="is not on this node"):
        loading.load_tokenizer(str(tmp_path / "gone"))


def test_a_folder_without_a_model_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(loading.UnableToLoad, match=r"holds no model: its config\.json is missing"):
        loading.load_tokenizer(str(tmp_path))


def test_a_tokenizer_without_a_chat_template_gets_a_sentence(
    tiny_model: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(tiny_model, tmp_path / "model")
    (model / "chat_template.jinja").unlink()

    with pytest.raises(loading.UnableToLoad, match="has no chat template"):
        loading.load_tokenizer(str(model))


def test_a_pad_token_that_is_the_end_of_turn_is_replaced() -> None:
    tokenizer = build_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token

    loading.give_own_pad_token(tokenizer)

    assert tokenizer.pad_token == "<|endoftext|>"


def test_a_tokenizer_with_one_special_token_pads_with_a_byte_that_no_text_has() -> None:
    """As GPT-2's: <|endoftext|> and 50,256 pieces of text."""
    words = Tokenizer(
        BPE(
            {
                letter: number
                for number, letter in enumerate(["<|endoftext|>", *sorted(ByteLevel.alphabet())])
            },
            [],
        )
    )
    words.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )
    before = len(tokenizer)

    loading.give_own_pad_token(tokenizer)

    assert (tokenizer.pad_token, len(tokenizer)) == ("Ĝ", before)
    assert tokenizer.pad_token_id not in tokenizer.encode("Any text, of any kind: ÿ Ġ é 你好")


def test_the_end_of_turn_is_the_one_that_the_template_writes(
    tiny_model: Path, tmp_path: Path
) -> None:
    """As with Llama 3 or Gemma before their files were mended: eos_token names the end of a
    text.
    """
    model = shutil.copytree(tiny_model, tmp_path / "model")
    said = json.loads((model / "tokenizer_config.json").read_text()) | {
        "eos_token": "<|endoftext|>"
    }
    (model / "tokenizer_config.json").write_text(json.dumps(said))

    tokenizer = loading.load_tokenizer(str(model))
    messages = [{"role": "user", "content": "Why?"}]
    prompt = data.prompt_ids(tokenizer, messages)
    response = data.response_ids(tokenizer, messages, prompt, "Yes.")

    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    assert (
        tokenizer.decode(response) == "Yes.<|im_end|>"
    )  # a reward is read here, not behind the template's line feed


def test_a_tokenizer_without_any_token_to_pad_with_gets_a_sentence() -> None:
    words = Tokenizer(WordLevel({"<end>": 0, "hello": 1}, unk_token="hello"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>")

    with pytest.raises(loading.UnableToLoad, match="no pad token of its own"):
        loading.give_own_pad_token(tokenizer)


def test_rows_longer_than_the_model_reads_get_a_sentence(tiny_model: Path) -> None:
    model = loading.load_policy(
        str(tiny_model), loading.load_tokenizer(str(tiny_model)), torch.float32
    )

    with pytest.raises(loading.UnableToLoad, match="context length is 1024 tokens"):
        loading.require_length(model, 4096)


@torch.no_grad()
def test_a_reward_is_read_at_the_last_token_whatever_the_padding(tiny_model: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    model = loading.load_reward(str(tiny_model), tokenizer, torch.float32).eval()
    sequences = [
        data.prompt_ids(tokenizer, [{"role": "user", "content": text}])
        for text in ("Hello", "A longer question, that is.")
    ]

    alone = [model(input_ids=torch.tensor([ids])).logits.item() for ids in sequences]
    right = reward_head.last_token_rewards(
        model, *data.padded(sequences, tokenizer.pad_token_id, side="right")
    )
    left = reward_head.last_token_rewards(
        model, *data.padded(sequences, tokenizer.pad_token_id, side="left")
    )

    assert right.tolist() == pytest.approx(alone, abs=1e-5)
    assert left.tolist() == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("family", [T5Config, BertConfig])
def test_a_family_that_does_not_write_from_left_to_right_gets_a_sentence(
    family: type[PretrainedConfig], tiny_model: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(tiny_model, tmp_path / "model")
    family().save_pretrained(model)

    with pytest.raises(loading.UnableToLoad, match="does not write text from left to right"):
        loading.load_policy(str(model), loading.load_tokenizer(str(model)), torch.float32)


def test_a_family_whose_head_is_no_score_of_each_token_gets_a_sentence(tmp_path: Path) -> None:
    families.causal(families.config_of("modernbert-decoder")).save_pretrained(tmp_path)

    with pytest.raises(loading.UnableToLoad, match="can't become a reward model"):
        loading.load_reward(str(tmp_path), build_tokenizer(), torch.float32)

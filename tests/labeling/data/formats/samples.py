"""One small sample of every shape that can be imported, written by us after its documentation, and
what it must become.
"""

from dataclasses import dataclass, field
from typing import Any


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


@dataclass(frozen=True)
class Sample:
    """Rows of a shape. `prompts`, `demonstrations` and `pairs` (chosen, rejected) are the texts
    that they become; `responses` are all answers.
    """

    format: str
    rows: list[Any]
    prompts: set[str]
    responses: set[str] = field(default_factory=set)
    demonstrations: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    not_imported: tuple[str, ...] = ()
    """fields that the report must name"""


def _demonstrated(format_: str, *rows: Any, not_imported: tuple[str, ...] = ()) -> Sample:
    return Sample(format_, [*rows], {RIVER}, {ELBE}, {ELBE}, not_imported=not_imported)


def _compared(format_: str, *rows: Any, not_imported: tuple[str, ...] = ()) -> Sample:
    return Sample(
        format_, [*rows], {RIVER}, {ELBE, NO}, pairs={(ELBE, NO)}, not_imported=not_imported
    )


RIVER, ELBE, NO = "Name a river in Germany.", "The Elbe.", "Find out yourself."
_FLAT = {"message_tree_id": "t1", "lang": "en", "deleted": False, "synthetic": False}

SAMPLES: dict[str, Sample] = {
    # https://huggingface.co/docs/trl/dataset_formats
    "TRL prompt-only": Sample("jsonl", [{"prompt": RIVER}], {RIVER}),
    "TRL prompt-only, conversational": Sample("hf", [{"prompt": [user(RIVER)]}], {RIVER}),
    "TRL language modeling, messages": _demonstrated(
        "jsonl", {"messages": [user(RIVER), assistant(ELBE)]}
    ),
    "TRL language modeling, ChatML text": _demonstrated(
        "jsonl",
        {"text": f"<|im_start|>user\n{RIVER}<|im_end|>\n<|im_start|>assistant\n{ELBE}<|im_end|>"},
    ),
    "TRL prompt-completion": _demonstrated("hf", {"prompt": RIVER, "completion": ELBE}),
    "TRL prompt-completion, conversational": _demonstrated(
        "hf", {"prompt": [user(RIVER)], "completion": [assistant(ELBE)]}
    ),
    "TRL preference": _compared("hf", {"prompt": RIVER, "chosen": ELBE, "rejected": NO}),
    "TRL preference, implicit prompt": _compared(
        "hf",
        {"chosen": [user(RIVER), assistant(ELBE)], "rejected": [user(RIVER), assistant(NO)]},
    ),
    "TRL unpaired preference": Sample(
        "hf",
        [
            {"prompt": RIVER, "completion": ELBE, "label": True},
            {"prompt": RIVER, "completion": NO, "label": False},
        ],
        {RIVER},
        {ELBE, NO},
        {ELBE},
    ),
    "TRL stepwise supervision": Sample(
        "hf",
        [{"prompt": RIVER, "completions": ["Germany.", "The Po."], "labels": [True, False]}],
        {RIVER},
        {"Germany.\nThe Po."},
    ),
    # https://huggingface.co/datasets/Anthropic/hh-rlhf
    "HH": _compared(
        "hh",
        {
            "chosen": f"\n\nHuman: {RIVER}\n\nAssistant: {ELBE}",
            "rejected": f"\n\nHuman: {RIVER}\n\nAssistant: {NO}",
        },
    ),
    # https://huggingface.co/datasets/Dahoas/rm-static
    "HH, with the prompt apart": _compared(
        "hf",
        {
            "prompt": f"\n\nHuman: {RIVER}\n\nAssistant:",
            "response": f" {ELBE}",
            "chosen": ELBE,
            "rejected": NO,
        },
    ),
    # https://huggingface.co/datasets/berkeley-nest/Nectar
    "Nectar": _compared(
        "jsonl",
        {
            "prompt": f"\n\nHuman: {RIVER}\n\nAssistant: ",
            "answers": [
                {"answer": NO, "model": "alpha", "rank": 2.0},
                {"answer": ELBE, "model": "beta", "rank": 1.0},
            ],
            "turns": 1,
            "num_responses": 2,
            "source": ["made"],
            "good_natured": True,
        },
        not_imported=("turns", "num_responses", "source", "good_natured"),
    ),
    # https://huggingface.co/datasets/HuggingFaceH4/ultrachat_200k
    "UltraChat": _demonstrated(
        "jsonl",
        {"prompt": RIVER, "prompt_id": "f0e3", "messages": [user(RIVER), assistant(ELBE)]},
        not_imported=("prompt_id",),
    ),
    # https://huggingface.co/datasets/HuggingFaceH4/no_robots
    "No Robots": Sample(
        "jsonl",
        [
            {
                "prompt": RIVER,
                "prompt_id": "f0e4",
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    user(RIVER),
                    assistant(ELBE),
                ],
                "category": "open_qa",
            }
        ],
        {RIVER},
        {ELBE},
        {ELBE},
        not_imported=("prompt_id",),
    ),
    # https://huggingface.co/datasets/PKU-Alignment/BeaverTails
    "BeaverTails": Sample(
        "jsonl",
        [
            {"prompt": RIVER, "response": ELBE, "is_safe": True},
            {"prompt": RIVER, "response": NO, "is_safe": False},
        ],
        {RIVER},
        {ELBE, NO},
        not_imported=("is_safe",),
    ),
    # https://huggingface.co/datasets/teknium/OpenHermes-2.5
    "OpenHermes": Sample(
        "sharegpt",
        [
            {
                "conversations": [
                    {"from": "human", "value": RIVER, "weight": None},
                    {"from": "gpt", "value": ELBE, "weight": None},
                ],
                "source": "made",
                "model": "gpt-4",
                "custom_instruction": False,
            }
        ],
        {RIVER},
        {ELBE},
        not_imported=("source", "custom_instruction"),
    ),
    # https://huggingface.co/datasets/allenai/tulu-3-sft-mixture
    "Tulu": _demonstrated(
        "jsonl",
        {"id": "t_1", "messages": [user(RIVER), assistant(ELBE)], "source": "made/by_people"},
        not_imported=("id", "source"),
    ),
    # https://huggingface.co/datasets/timdettmers/openassistant-guanaco
    "Guanaco": _demonstrated("jsonl", {"text": f"### Human: {RIVER}\n### Assistant: {ELBE}"}),
    # https://huggingface.co/datasets/Intel/orca_dpo_pairs
    "Orca DPO": _compared("hf", {"system": "", "question": RIVER, "chosen": ELBE, "rejected": NO}),
    # https://prodi.gy/docs/api-interfaces
    "Prodigy": Sample(
        "jsonl",
        [
            {"prompt": RIVER, "response": ELBE, "answer": "accept", "_task_hash": 7},
            {"prompt": RIVER, "response": NO, "answer": "reject", "_task_hash": 8},
        ],
        {RIVER},
        {ELBE, NO},
        not_imported=("answer", "_task_hash"),
    ),
    # https://huggingface.co/datasets/HuggingFaceH4/ultrafeedback_binarized
    "UltraFeedback, binarized": _compared(
        "hf",
        {
            "prompt": RIVER,
            "prompt_id": "f0e37e9f",
            "chosen": [user(RIVER), assistant(ELBE)],
            "rejected": [user(RIVER), assistant(NO)],
            "messages": [user(RIVER), assistant(ELBE)],
            "score_chosen": 8.0,
            "score_rejected": 2.0,
        },
        not_imported=("prompt_id",),
    ),
    # https://huggingface.co/datasets/openbmb/UltraFeedback
    "UltraFeedback": _compared(
        "ultrafeedback",
        {
            "source": "evol_instruct",
            "instruction": RIVER,
            "models": ["alpaca-7b", "gpt-4"],
            "completions": [
                {"model": "alpaca-7b", "response": NO, "fine-grained_score": 2.0, "critique": "…"},
                {"model": "gpt-4", "response": ELBE, "fine-grained_score": 4.5, "critique": "…"},
            ],
            "correct_answers": ["None"],
        },
        not_imported=("source", "models", "correct_answers", "completions[].critique"),
    ),
    # https://huggingface.co/datasets/nvidia/HelpSteer2
    "HelpSteer2": Sample(
        "jsonl",
        [
            {"prompt": RIVER, "response": ELBE, "helpfulness": 4, "correctness": 4, "coherence": 4},
            {"prompt": RIVER, "response": NO, "helpfulness": 0, "correctness": 0, "coherence": 3},
        ],
        {RIVER},
        {ELBE, NO},
    ),
    # https://huggingface.co/datasets/nvidia/HelpSteer3
    "HelpSteer3": _compared(
        "helpsteer",
        {
            "domain": "general",
            "language": "english",
            "context": [user(RIVER)],
            "response1": NO,
            "response2": ELBE,
            "overall_preference": 2,
            "individual_preference": [{"score": 2, "reasoning": "…"}],
        },
        not_imported=("domain", "individual_preference"),
    ),
    # https://github.com/lm-sys/FastChat/blob/main/docs/commands/data_cleaning.md
    "ShareGPT": _demonstrated(
        "sharegpt",
        {
            "id": "c1_0",
            "conversations": [{"from": "human", "value": RIVER}, {"from": "gpt", "value": ELBE}],
        },
        not_imported=("id",),
    ),
    # https://github.com/tatsu-lab/stanford_alpaca
    "Alpaca": Sample(
        "alpaca",
        [{"instruction": "Answer the question.", "input": RIVER, "output": ELBE}],
        {f"Answer the question.\n\n{RIVER}"},
        {ELBE},
        {ELBE},
    ),
    # https://huggingface.co/datasets/databricks/databricks-dolly-15k
    "Dolly": _demonstrated(
        "alpaca",
        {"instruction": RIVER, "context": "", "response": ELBE, "category": "general_qa"},
    ),
    # https://huggingface.co/datasets/OpenAssistant/oasst1
    "Open-Assistant, nested": _compared(
        "openassistant",
        {
            "message_tree_id": "t1",
            "prompt": {
                "role": "prompter",
                "text": RIVER,
                "lang": "en",
                "replies": [
                    {"role": "assistant", "text": ELBE, "rank": 0, "synthetic": True},
                    {"role": "assistant", "text": NO, "rank": 1, "synthetic": True},
                ],
            },
        },
    ),
    "Open-Assistant, flat": Sample(
        "oasst_flat",
        [
            _FLAT | {"message_id": "1", "parent_id": None, "role": "prompter", "text": RIVER},
            _FLAT
            | {"message_id": "2", "parent_id": "1", "role": "assistant", "text": ELBE, "rank": 0},
            _FLAT
            | {"message_id": "3", "parent_id": "1", "role": "assistant", "text": NO, "rank": 1}
            | {"review_result": False},
            _FLAT | {"message_id": "4", "parent_id": "2", "role": "prompter", "text": "Another?"},
        ],
        {RIVER, "Another?"},
        {ELBE, NO},
        {ELBE},
        {(ELBE, NO)},
    ),
    # https://platform.openai.com/docs/guides/supervised-fine-tuning
    "OpenAI fine-tuning": _demonstrated(
        "jsonl",
        {"messages": [{"role": "developer", "content": "Be brief."}, user(RIVER), assistant(ELBE)]},
    ),
    # https://platform.openai.com/docs/guides/direct-preference-optimization
    "OpenAI preferences": _compared(
        "hf",
        {
            "input": {"messages": [user(RIVER)]},
            "preferred_output": [assistant(ELBE)],
            "non_preferred_output": [assistant(NO)],
        },
    ),
    # https://github.com/lm-sys/FastChat/tree/main/fastchat/llm_judge
    "MT-Bench questions": Sample(
        "turns",
        [{"question_id": 81, "category": "writing", "turns": [RIVER, "And another?"]}],
        {RIVER},
        not_imported=("question_id",),
    ),
    # https://huggingface.co/datasets/lmsys/chatbot_arena_conversations
    "Chatbot Arena": _compared(
        "arena",
        {
            "question_id": "58",
            "model_a": "alpha",
            "model_b": "beta",
            "winner": "model_b",
            "judge": "arena_user_12",
            "conversation_a": [user(RIVER), assistant(NO)],
            "conversation_b": [user(RIVER), assistant(ELBE)],
            "turn": 1,
            "tstamp": 1682351591.1,
        },
        not_imported=("question_id", "tstamp"),
    ),
    # https://docs.argilla.io/latest/how_to_guides/import_export/
    "Argilla 2": Sample(
        "argilla",
        [
            {
                "id": "r1",
                "status": "completed",
                "fields": {"prompt": RIVER, "response1": NO, "response2": ELBE},
                "metadata": {},
                "suggestions": {},
                "responses": {
                    "preference": [
                        {
                            "value": [
                                {"value": "response2", "rank": 1},
                                {"value": "response1", "rank": 2},
                            ],
                            "user_id": "u1",
                        }
                    ],
                    "comment": [{"value": "Fine.", "user_id": "u1"}],
                },
            }
        ],
        {RIVER},
        {ELBE, NO},
        pairs={(ELBE, NO)},
        not_imported=("comment",),
    ),
    # The same record as Argilla publishes it to a hub: https://huggingface.co/docs/hub/argilla
    "Argilla 2, on a hub": Sample(
        "argilla_flat",
        [
            {
                "id": "r1",
                "status": "completed",
                "_server_id": "8d2f",
                "prompt": RIVER,
                "response1": NO,
                "response2": ELBE,
                "preference.responses": [["response2", "response1"]],
                "preference.responses.users": ["u1"],
                "preference.responses.status": ["submitted"],
                "preference.suggestion": ["response1", "response2"],
                "comment.responses": ["Fine."],
                "comment.responses.users": ["u1"],
                "comment.responses.status": ["submitted"],
            }
        ],
        {RIVER},
        {ELBE, NO},
        pairs={(ELBE, NO)},
        not_imported=("comment",),
    ),
    # https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks
    "Label Studio": _compared(
        "label_studio",
        {
            "id": 1,
            "data": {"prompt": RIVER, "answer1": ELBE, "answer2": NO},
            "annotations": [
                {
                    "id": 7,
                    "completed_by": 3,
                    "was_cancelled": False,
                    "result": [
                        {
                            "from_name": "comparison",
                            "to_name": "answer1,answer2",
                            "type": "pairwise",
                            "value": {"selected": "left"},
                        },
                        {
                            "from_name": "tone",
                            "to_name": "answer1",
                            "type": "choices",
                            "value": {"choices": ["polite"]},
                        },
                    ],
                }
            ],
        },
        not_imported=("tone",),
    ),
    # https://prodi.gy/docs/api-interfaces#choice
    "Prodigy, choice": _compared(
        "prodigy",
        {
            "text": RIVER,
            "options": [{"id": "a", "text": NO}, {"id": "b", "text": ELBE}],
            "accept": ["b"],
            "answer": "accept",
            "_annotator_id": "river-ann",
            "meta": {"topic": "rivers"},
        },
        not_imported=("meta",),
    ),
    # https://huggingface.co/datasets/PKU-Alignment/PKU-SafeRLHF
    "Two responses and which is better": _compared(
        "pairs",
        {
            "prompt": RIVER,
            "response_0": NO,
            "response_1": ELBE,
            "is_response_0_safe": True,
            "better_response_id": 1,
        },
        not_imported=("is_response_0_safe",),
    ),
    "Preferably rankings": _compared(
        "rankings",
        {
            "prompt": [user(RIVER)],
            "responses": [
                {"response": 4, "text": NO, "rank": 2, "source": "beta", "licence": "CC0-1.0"},
                {"response": 5, "text": ELBE, "rank": 1, "source": "alpha", "licence": "CC0-1.0"},
            ],
            "rater": "rater 7",
            "strength": 3,
            "tone": "warm",
        },
        not_imported=("tone",),
    ),
    "Preferably demonstrations": _demonstrated(
        "written",
        {
            "prompt": [user(RIVER)],
            "completion": [assistant(ELBE)],
            "judgment": 3,
            "rater": "rater 7",
            "submitted_at": "2026-03-02T12:00:00+00:00",
            "turn": 0,
            "tone": "warm",
        },
        not_imported=("tone",),
    ),
}

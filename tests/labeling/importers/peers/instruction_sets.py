"""Published sets of instructions and conversations, in rows of our own."""

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
    user,
)

MESSAGE = {"message_tree_id": "t1", "lang": "en", "deleted": False, "synthetic": False}

PEERS: dict[str, bytes] = {
    # https://huggingface.co/datasets/HuggingFaceH4/ultrachat_200k
    "UltraChat 200k": lines(
        {"prompt": ASK, "prompt_id": "p1", "messages": [user(ASK), assistant(GOOD)]}
    ),
    # https://huggingface.co/datasets/openbmb/UltraChat
    "UltraChat": lines({"id": "0", "data": [ASK, GOOD, MORE, FAIR]}),
    # https://huggingface.co/datasets/HuggingFaceH4/no_robots
    "No Robots": lines(
        {
            "prompt": ASK,
            "prompt_id": "p1",
            "messages": [user(ASK), assistant(GOOD)],
            "category": "Open QA",
        }
    ),
    # https://huggingface.co/datasets/OpenAssistant/oasst1
    "Open-Assistant, trees": lines(
        {
            "message_tree_id": "t1",
            "tree_state": "ready_for_export",
            "prompt": {
                "message_id": "t1",
                "user_id": "u1",
                "text": ASK,
                "role": "prompter",
                "lang": "en",
                "review_count": 3,
                "review_result": True,
                "deleted": False,
                "synthetic": False,
                "replies": [
                    {"message_id": "a", "text": GOOD, "role": "assistant", "lang": "en"}
                    | {"review_result": True, "deleted": False, "rank": 0, "replies": []},
                    {"message_id": "b", "text": BAD, "role": "assistant", "lang": "en"}
                    | {"review_result": False, "deleted": False, "rank": 1, "replies": []},
                ],
            },
        }
    ),
    "Open-Assistant, messages": lines(
        MESSAGE | {"message_id": "1", "parent_id": None, "text": ASK, "role": "prompter"},
        MESSAGE
        | {"message_id": "2", "parent_id": "1", "text": GOOD, "role": "assistant", "rank": 0}
        | {"review_result": True},
        MESSAGE
        | {"message_id": "3", "parent_id": "1", "text": BAD, "role": "assistant", "rank": 1}
        | {"review_result": False},
    ),
    # https://github.com/tatsu-lab/stanford_alpaca
    "Alpaca": listed({"instruction": ASK, "input": "", "output": GOOD}),
    "Alpaca, with its text": lines(
        {
            "instruction": ASK,
            "input": "",
            "output": GOOD,
            "text": f"Below is an instruction.\n\n### Instruction:\n{ASK}\n\n### Response:\n{GOOD}",
        }
    ),
    # https://huggingface.co/datasets/databricks/databricks-dolly-15k
    "Dolly": lines({"instruction": ASK, "context": "", "response": GOOD, "category": "open_qa"}),
    # https://huggingface.co/datasets/Muennighoff/flan
    "FLAN": lines({"inputs": ASK, "targets": GOOD, "task": "qa"}),
    # https://huggingface.co/datasets/Open-Orca/OpenOrca
    "OpenOrca": lines(
        {"id": "o1", "system_prompt": "Be brief.", "question": ASK, "response": GOOD}
    ),
    # https://huggingface.co/datasets/Open-Orca/SlimOrca
    "SlimOrca": lines(
        {
            "conversations": [
                {"from": "system", "value": "Be brief.", "weight": None},
                human(ASK) | {"weight": 0.0},
                gpt(GOOD) | {"weight": 1.0},
            ]
        }
    ),
    # https://huggingface.co/datasets/anon8231489123/ShareGPT_Vicuna_unfiltered
    "ShareGPT": listed({"id": "s1", "conversations": [human(ASK), gpt(GOOD)]}),
    "ShareGPT, several turns": listed(
        {"id": "s1", "conversations": [human(ASK), gpt(GOOD), human(MORE), gpt(FAIR)]}
    ),
    "ShareGPT, ends with a question": listed(
        {"id": "s1", "conversations": [human(ASK), gpt(GOOD), human(MORE)]}
    ),
    "ShareGPT, other names": listed(
        {
            "items": [human(ASK), gpt(GOOD)],
            "id": "s1",
        }
    ),
    # https://huggingface.co/datasets/teknium/OpenHermes-2.5
    "OpenHermes": listed(
        {
            "conversations": [human(ASK), gpt(GOOD)],
            "source": "airoboros2.2",
            "category": "general",
            "skip_prompt_formatting": False,
            "model": None,
            "idx": None,
        }
    ),
    # https://huggingface.co/datasets/Magpie-Align
    "Magpie": lines(
        {
            "uuid": "u1",
            "model": "Llama-3-70B-Instruct",
            "gen_input_configs": {"temperature": 1.0},
            "instruction": ASK,
            "response": GOOD,
            "conversations": [human(ASK), gpt(GOOD)],
            "task_category": "Information seeking",
            "difficulty": "easy",
            "input_quality": "good",
            "instruct_reward": -8.1,
            "reward_model": "rm",
            "language": "EN",
        }
    ),
    # https://huggingface.co/datasets/LDJnr/Capybara
    "Capybara": lines(
        {
            "source": "made",
            "conversation": [
                {"input": ASK, "output": GOOD},
                {"input": MORE, "output": FAIR},
            ],
        }
    ),
    # https://huggingface.co/datasets/allenai/tulu-3-sft-mixture
    "Tulu 3, SFT": lines(
        {"id": "t1", "messages": [user(ASK), assistant(GOOD)], "source": "ai2/made"}
    ),
    # https://huggingface.co/datasets/GAIR/lima
    "LIMA": lines({"conversations": [ASK, GOOD], "source": "stackexchange"}),
    # https://huggingface.co/datasets/CohereForAI/aya_dataset
    "Aya": lines(
        {
            "inputs": ASK,
            "targets": GOOD,
            "language": "English",
            "language_code": "eng",
            "annotation_type": "original-annotations",
            "user_id": "u1",
        }
    ),
    # https://huggingface.co/datasets/yizhongw/self_instruct
    "Self-Instruct, seeds": lines(
        {
            "id": "seed_1",
            "name": "rivers",
            "instruction": ASK,
            "instances": [{"input": "", "output": GOOD}],
            "is_classification": False,
        }
    ),
    # https://huggingface.co/datasets/open-thoughts
    "reasoning with a solution": lines(
        {"problem": ASK, "solution": GOOD, "answer": "Elbe", "deepseek_reasoning": "…"}
    ),
    "OpenR1-Math": lines(
        {
            "problem": ASK,
            "solution": GOOD,
            "answer": "Elbe",
            "generations": [GOOD, BAD],
            "correctness_math_verify": [True, False],
            "messages": [user(ASK), assistant(GOOD)],
        }
    ),
}

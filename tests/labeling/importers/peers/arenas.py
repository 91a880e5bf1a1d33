"""Comparisons of models by people and by judges, in rows of our own."""

from tests.labeling.importers.peers.texts import (
    ASK,
    BAD,
    FAIR,
    GOOD,
    MORE,
    assistant,
    lines,
    listed,
    table,
    user,
)

BATTLE = {
    "question_id": "q1",
    "model_a": "m1",
    "model_b": "m2",
    "winner": "model_b",
    "judge": "arena_user_7",
    "conversation_a": [user(ASK), assistant(BAD)],
    "conversation_b": [user(ASK), assistant(GOOD)],
    "turn": 1,
    "anony": True,
    "language": "English",
    "tstamp": 1682351591.1,
    "openai_moderation": {"flagged": False},
    "toxic_chat_tag": {"roberta-large": {"flagged": False, "probability": 0.01}},
}
SAMPLE_55K = (
    "id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie"
)
PANDA = {
    "idx": 0,
    "instruction": ASK,
    "input": "",
    "response1": BAD,
    "response2": GOOD,
    "annotator1": 2,
    "annotator2": 2,
    "annotator3": 0,
    "cmp_key": "bloom-7b_llama-7b",
}

PEERS: dict[str, bytes] = {
    # https://huggingface.co/datasets/lmsys/chatbot_arena_conversations
    "Chatbot Arena": lines(BATTLE),
    "Chatbot Arena, tie": lines(BATTLE | {"winner": "tie"}),
    "Chatbot Arena, both bad": lines(BATTLE | {"winner": "tie (bothbad)"}),
    # https://huggingface.co/datasets/lmarena-ai/arena-human-preference-100k
    "Chatbot Arena, 100k": lines(
        BATTLE
        | {
            "is_code": False,
            "is_refusal": False,
            "dedup_tag": {"high_freq": False, "sampled": True},
            "conv_metadata": {"sum_user_tokens": 4},
            "category_tag": {"criteria_v0.1": {"complexity": False}},
        }
    ),
    # https://huggingface.co/datasets/lmarena-ai/arena-human-preference-140k
    "Chatbot Arena, 140k": lines(
        {
            "id": "1",
            "model_a": "m1",
            "model_b": "m2",
            "winner": "both_bad",
            "evaluation_session_id": "s1",
            "evaluation_order": 1,
            "conversation_a": [
                {"role": "user", "content": [{"type": "text", "text": ASK}]},
                {"role": "assistant", "content": [{"type": "text", "text": BAD}]},
            ],
            "conversation_b": [
                {"role": "user", "content": [{"type": "text", "text": ASK}]},
                {"role": "assistant", "content": [{"type": "text", "text": FAIR}]},
            ],
            "language": "en",
            "is_code": False,
            "timestamp": "2025-07-01",
        }
    ),
    # https://huggingface.co/datasets/lmsys/lmsys-arena-human-preference-55k
    "Chatbot Arena, 55k": table(
        SAMPLE_55K,
        (1, "m1", "m2", f'["{ASK}"]', f'["{BAD}"]', f'["{GOOD}"]', 0, 1, 0),
        (2, "m1", "m2", f'["{MORE}"]', f'["{GOOD}"]', f'["{FAIR}"]', 0, 0, 1),
    ),
    # https://huggingface.co/datasets/lmsys/mt_bench_human_judgments
    "MT-Bench, human judgments": lines(
        {
            "question_id": 81,
            "model_a": "m1",
            "model_b": "m2",
            "winner": "model_b",
            "judge": "author_2",
            "conversation_a": [user(ASK), assistant(BAD), user(MORE), assistant(FAIR)],
            "conversation_b": [user(ASK), assistant(GOOD), user(MORE), assistant(FAIR)],
            "turn": 1,
        },
    ),
    "MT-Bench, second turn": lines(
        {
            "question_id": 81,
            "model_a": "m1",
            "model_b": "m2",
            "winner": "model_b",
            "judge": "author_2",
            "conversation_a": [user(ASK), assistant(BAD), user(MORE), assistant(BAD)],
            "conversation_b": [user(ASK), assistant(GOOD), user(MORE), assistant(FAIR)],
            "turn": 2,
        },
    ),
    # https://huggingface.co/datasets/HannahRoseKirk/prism-alignment
    "PRISM, utterances": lines(
        *(
            {
                "utterance_id": f"ut{n}",
                "interaction_id": "int1",
                "conversation_id": "c1",
                "user_id": "user1",
                "turn": 0,
                "within_turn_id": n,
                "conversation_type": "unguided",
                "user_prompt": ASK,
                "model_response": text,
                "model_name": f"m{n}",
                "model_provider": "made",
                "score": score,
                "if_chosen": score > 50,
            }
            for n, text, score in ((0, BAD, 12), (1, GOOD, 95))
        )
    ),
    "PRISM, conversations": lines(
        {
            "conversation_id": "c1",
            "user_id": "user1",
            "conversation_type": "unguided",
            "opening_prompt": ASK,
            "conversation_turns": 1,
            "conversation_history": [
                {"turn": 0, "role": "user", "content": ASK},
                {
                    "turn": 0,
                    "role": "model",
                    "content": BAD,
                    "model_name": "m1",
                    "score": 12,
                    "if_chosen": False,
                    "within_turn_id": 0,
                },
                {
                    "turn": 0,
                    "role": "model",
                    "content": GOOD,
                    "model_name": "m2",
                    "score": 95,
                    "if_chosen": True,
                    "within_turn_id": 1,
                },
            ],
            "open_feedback": "Fine.",
        }
    ),
    # https://github.com/WeOpenML/PandaLM
    "PandaLM": listed(PANDA, PANDA | {"idx": 1, "instruction": MORE, "annotator3": 1}),
    # https://huggingface.co/datasets/tatsu-lab/alpaca_eval
    "AlpacaEval, annotations": listed(
        {
            "instruction": ASK,
            "output_1": BAD,
            "output_2": GOOD,
            "generator_1": "m1",
            "generator_2": "m2",
            "annotator": "weighted_alpaca_eval_gpt4_turbo",
            "preference": 1.98,
            "price_per_example": 0.01,
            "time_per_example": 0.3,
        }
    ),
    "AlpacaEval, outputs": listed(
        {"dataset": "koala", "instruction": ASK, "output": GOOD, "generator": "m2"}
    ),
    # https://huggingface.co/datasets/tatsu-lab/alpaca_farm
    "AlpacaFarm, human preferences": listed(
        {
            "instruction": ASK,
            "input": "",
            "output_1": BAD,
            "output_2": GOOD,
            "preference": 2,
            "raw_preference": 4,
        }
    ),
    # https://huggingface.co/datasets/lmsys/lmsys-chat-1m
    "LMSYS Chat 1M": lines(
        {
            "conversation_id": "c1",
            "model": "m1",
            "conversation": [user(ASK), assistant(GOOD)],
            "turn": 1,
            "language": "English",
            "openai_moderation": [{"flagged": False}],
            "redacted": False,
        }
    ),
    # https://huggingface.co/datasets/allenai/WildChat
    "WildChat": lines(
        {
            "conversation_hash": "h1",
            "model": "gpt-4",
            "timestamp": "2023-04-01",
            "conversation": [
                user(ASK) | {"language": "English", "redacted": False, "toxic": False},
                assistant(GOOD) | {"language": "English", "redacted": False, "toxic": False},
            ],
            "turn": 1,
            "language": "English",
            "toxic": False,
            "redacted": False,
        }
    ),
}

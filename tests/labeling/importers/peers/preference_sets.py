"""Published sets of preferences, in rows of our own."""

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

START = f"\n\nHuman: {ASK}\n\nAssistant:"
CHAT = [user(ASK), assistant(FAIR), user(MORE)]

PEERS: dict[str, bytes] = {
    # https://huggingface.co/datasets/Anthropic/hh-rlhf
    "HH": lines({"chosen": f"{START} {GOOD}", "rejected": f"{START} {BAD}"}),
    "HH, red team attempts": listed(
        {
            "min_harmlessness_score_transcript": -1.2,
            "num_params": "52B",
            "model_type": "context-distilled",
            "transcript": f"{START} {BAD}",
            "rating": 4.0,
            "task_description": "Be rude.",
            "is_upworker": True,
            "tags": None,
        }
    ),
    # https://huggingface.co/datasets/berkeley-nest/Nectar
    "Nectar": lines(
        {
            "prompt": f"{START} ",
            "answers": [
                {"answer": BAD, "model": "m1", "rank": 2.0},
                {"answer": GOOD, "model": "m2", "rank": 1.0},
            ],
            "turns": 1,
            "num_responses": 2,
            "source": ["lmsys"],
            "good_natured": True,
        }
    ),
    # https://huggingface.co/datasets/Dahoas/rm-static
    "rm-static": lines({"prompt": START, "response": f" {GOOD}", "chosen": GOOD, "rejected": BAD}),
    # https://huggingface.co/datasets/Dahoas/full-hh-rlhf
    "full-hh-rlhf": table(
        "prompt,response,chosen,rejected", (START, f" {GOOD}", f" {GOOD}", f" {BAD}")
    ),
    # https://huggingface.co/datasets/PKU-Alignment/PKU-SafeRLHF
    "PKU-SafeRLHF": lines(
        {
            "prompt": ASK,
            "response_0": BAD,
            "response_1": GOOD,
            "prompt_source": "alpaca",
            "response_0_source": "Alpaca-7B",
            "response_1_source": "Alpaca3-8B",
            "is_response_0_safe": False,
            "is_response_1_safe": True,
            "response_0_harm_category": {"Violence": False},
            "response_1_harm_category": {"Violence": False},
            "response_0_severity_level": 1,
            "response_1_severity_level": 0,
            "better_response_id": 1,
            "safer_response_id": 1,
        }
    ),
    "PKU-SafeRLHF QA": lines(
        {"prompt": ASK, "response": BAD, "is_safe": False, "severity_level": 2},
        {"prompt": ASK, "response": GOOD, "is_safe": True, "severity_level": 0},
    ),
    # https://huggingface.co/datasets/PKU-Alignment/BeaverTails
    "BeaverTails": lines(
        {"prompt": ASK, "response": BAD, "category": {"hate": True}, "is_safe": False},
        {"prompt": ASK, "response": GOOD, "category": {"hate": False}, "is_safe": True},
    ),
    # https://huggingface.co/datasets/openbmb/UltraFeedback
    "UltraFeedback": lines(
        {
            "source": "evol",
            "instruction": ASK,
            "models": ["m1", "m2"],
            "completions": [
                {"model": "m1", "response": BAD, "overall_score": 2.0, "critique": "Rude."},
                {"model": "m2", "response": GOOD, "overall_score": 8.0, "critique": "Right."},
            ],
            "correct_answers": ["None"],
            "incorrect_answers": ["None"],
        }
    ),
    # https://huggingface.co/datasets/HuggingFaceH4/ultrafeedback_binarized
    "UltraFeedback, binarized": lines(
        {
            "prompt": ASK,
            "prompt_id": "p1",
            "chosen": [user(ASK), assistant(GOOD)],
            "rejected": [user(ASK), assistant(BAD)],
            "messages": [user(ASK), assistant(GOOD)],
            "score_chosen": 8.0,
            "score_rejected": 2.0,
        }
    ),
    # https://huggingface.co/datasets/argilla/ultrafeedback-binarized-preferences-cleaned
    "UltraFeedback, cleaned by Argilla": lines(
        {
            "source": "evol",
            "prompt": ASK,
            "chosen": [user(ASK), assistant(GOOD)],
            "chosen-rating": 5.0,
            "chosen-model": "m2",
            "rejected": [user(ASK), assistant(BAD)],
            "rejected-rating": 2.0,
            "rejected-model": "m1",
        }
    ),
    # https://huggingface.co/datasets/stanfordnlp/SHP
    "SHP": lines(
        {
            "post_id": "x1",
            "domain": "askgeo_train",
            "upvote_ratio": 0.99,
            "history": ASK,
            "c_root_id_A": "c1",
            "c_root_id_B": "c2",
            "created_at_utc_A": 1636107561,
            "created_at_utc_B": 1636107600,
            "score_A": 3,
            "score_B": 17,
            "human_ref_A": BAD,
            "human_ref_B": GOOD,
            "labels": 0,
            "seconds_difference": 39.0,
            "score_ratio": 5.7,
        },
    ),
    # https://huggingface.co/datasets/openai/webgpt_comparisons
    "WebGPT": lines(
        {
            "question": {"dataset": "triviaqa", "id": "q1", "full_text": ASK},
            "quotes_0": {"title": ["A"], "extract": ["…"]},
            "answer_0": BAD,
            "tokens_0": {"prefix": [1], "completion": [2]},
            "score_0": -1.0,
            "quotes_1": {"title": ["B"], "extract": ["…"]},
            "answer_1": GOOD,
            "tokens_1": {"prefix": [1], "completion": [3]},
            "score_1": 1.0,
        }
    ),
    # https://huggingface.co/datasets/openai/summarize_from_feedback
    "summarize_from_feedback, comparisons": lines(
        {
            "info": {"id": "t3", "post": ASK, "title": "Rivers", "subreddit": "geo"},
            "summaries": [
                {"text": BAD, "policy": "sup2", "note": "rude"},
                {"text": GOOD, "policy": "ref", "note": None},
            ],
            "choice": 1,
            "worker": "w1",
            "batch": "b1",
            "split": "train",
            "extra": {"confidence": 8},
        }
    ),
    "summarize_from_feedback, axes": lines(
        {
            "info": {"id": "t3", "post": ASK, "title": "Rivers", "subreddit": "geo"},
            "summary": {
                "text": GOOD,
                "policy": "ref",
                "note": None,
                "axes": {"overall": 6, "accuracy": 7},
            },
            "worker": "w1",
            "batch": "b1",
            "split": "test",
        }
    ),
    # https://huggingface.co/datasets/HuggingFaceH4/stack-exchange-preferences
    "Stack Exchange preferences": lines(
        {
            "qid": 7,
            "question": ASK,
            "answers": [
                {
                    "answer_id": 1,
                    "author": "ann",
                    "pm_score": 1,
                    "selected": False,
                    "text": BAD,
                },
                {
                    "answer_id": 2,
                    "author": "bob",
                    "pm_score": 4,
                    "selected": True,
                    "text": GOOD,
                },
            ],
            "date": "2020/01/01",
            "metadata": ["https://geo.stackexchange.com"],
        }
    ),
    # https://huggingface.co/datasets/lvwerra/stack-exchange-paired
    "Stack Exchange, paired": lines(
        {
            "qid": 7,
            "question": ASK,
            "date": "2020/01/01",
            "metadata": [],
            "response_j": GOOD,
            "response_k": BAD,
        }
    ),
    # https://huggingface.co/datasets/nvidia/HelpSteer
    "HelpSteer": lines(
        {
            "prompt": ASK,
            "response": GOOD,
            "helpfulness": 4,
            "correctness": 4,
            "coherence": 4,
            "complexity": 1,
            "verbosity": 1,
        }
    ),
    "HelpSteer2, preference": lines(
        {
            "split": "train",
            "prompt": ASK,
            "response_1": BAD,
            "response_2": GOOD,
            "preference_strength": 2,
            "preference_statement": "The second is polite.",
            "preference_elaboration": "The first is rude.",
            "three_most_similar_preferences": [],
            "all_preferences_unprocessed": [{"strength": 2}],
        },
        {"prompt": MORE, "response_1": FAIR, "response_2": GOOD, "preference_strength": 0},
    ),
    "HelpSteer3": lines(
        {
            "domain": "general",
            "language": "english",
            "context": CHAT,
            "response1": GOOD,
            "response2": BAD,
            "overall_preference": -3,
            "individual_preference": [
                {"score": -3, "reasoning": "…", "feedback1": "…", "feedback2": "…"}
            ],
        }
    ),
    # https://huggingface.co/datasets/Intel/orca_dpo_pairs
    "Orca DPO": lines({"system": "Be brief.", "question": ASK, "chosen": GOOD, "rejected": BAD}),
    # https://huggingface.co/datasets/argilla/distilabel-intel-orca-dpo-pairs
    "Orca DPO, distilabel": lines(
        {
            "system": "Be brief.",
            "input": ASK,
            "chosen": GOOD,
            "rejected": BAD,
            "generations": [GOOD, BAD],
            "order": ["chosen", "rejected"],
            "labelling_model": "gpt-4-1106-preview",
            "rating": [9.0, 2.0],
            "rationale": "…",
            "status": "unchanged",
            "chosen_score": 9.0,
            "in_gsm8k_train": False,
        }
    ),
    # https://distilabel.argilla.io
    "distilabel, ratings": lines(
        {
            "instruction": ASK,
            "generations": [BAD, GOOD],
            "generation_models": ["m1", "m2"],
            "ratings": [2, 5],
            "rationales": ["Rude.", "Right."],
            "model_name": "judge",
            "distilabel_metadata": {},
        }
    ),
    "distilabel, capybara": lines(
        {
            "source": "made",
            "conversation": [{"input": ASK, "output": GOOD}],
            "original_response": GOOD,
            "generation_prompt": [ASK],
            "raw_generation_responses": [BAD],
            "new_generations": [BAD],
            "chosen": [user(ASK), assistant(GOOD)],
            "rejected": [user(ASK), assistant(BAD)],
            "rating_chosen": 5,
            "rating_rejected": 1,
            "chosen_model": "m2",
            "rejected_model": "m1",
        }
    ),
    # https://huggingface.co/datasets/trl-lib/kto-mix-14k
    "KTO": lines(
        {"prompt": [user(ASK)], "completion": [assistant(GOOD)], "label": True},
        {"prompt": [user(ASK)], "completion": [assistant(BAD)], "label": False},
    ),
    # https://huggingface.co/datasets/allenai/llama-3.1-tulu-3-8b-preference-mixture
    "Tulu 3, preferences": lines(
        {
            "id": "t1",
            "source": "made",
            "prompt": ASK,
            "chosen": [user(ASK), assistant(GOOD)],
            "rejected": [user(ASK), assistant(BAD)],
        }
    ),
    # https://huggingface.co/datasets/allenai/reward-bench
    "RewardBench": lines(
        {
            "prompt": ASK,
            "chosen": GOOD,
            "chosen_model": "human",
            "rejected": BAD,
            "rejected_model": "m1",
            "subset": "chat",
            "id": 1,
        }
    ),
    # https://huggingface.co/datasets/allenai/reward-bench-2
    "RewardBench 2": lines(
        {
            "id": "1",
            "prompt": ASK,
            "chosen": [GOOD],
            "rejected": [BAD, "No.", "Why?"],
            "num_correct": 1,
            "num_incorrect": 3,
            "total_completions": 4,
            "models": ["m2", "m1", "m1", "m3"],
            "subset": "Factuality",
            "additional_metadata": {},
        }
    ),
    # https://huggingface.co/datasets/ScalerLab/JudgeBench
    "JudgeBench": lines(
        {
            "pair_id": "1",
            "original_id": "o1",
            "source": "mmlu",
            "question": ASK,
            "response_model": "m1",
            "response_A": BAD,
            "response_B": GOOD,
            "label": "B>A",
        }
    ),
}

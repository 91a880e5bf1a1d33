"""Traces, evaluations and benchmarks as tools write them, in rows of our own."""

import json

from tests.labeling.importers.peers.texts import (
    ASK,
    BAD,
    FAIR,
    GOOD,
    MORE,
    lines,
    listed,
    table,
    user,
)

PEERS: dict[str, bytes] = {
    # https://docs.smith.langchain.com
    "LangSmith, examples": lines(
        {"inputs": {"question": ASK}, "outputs": {"answer": GOOD}, "metadata": {}}
    ),
    "LangSmith, CSV": table(
        "id,input_question,output_answer,feedback_correctness", ("e1", ASK, BAD, 0)
    ),
    # https://langfuse.com/docs
    "Langfuse, dataset items": lines(
        {
            "id": "d1",
            "input": {"messages": [user(ASK)]},
            "expectedOutput": {"role": "assistant", "content": GOOD},
            "metadata": None,
            "status": "ACTIVE",
        }
    ),
    "Langfuse, traces": table(
        "id,timestamp,name,input,output,scores,userId",
        ("t1", "2025-01-01T10:00:00Z", "chat", ASK, BAD, '{"helpful": 0}', "u1"),
    ),
    # https://docs.arize.com/phoenix
    "Phoenix, spans": table(
        "context.span_id,name,attributes.input.value,attributes.output.value,"
        "eval.correctness.label,eval.correctness.score",
        ("s1", "llm", ASK, BAD, "incorrect", 0),
    ),
    "Phoenix, dataset": lines(
        {"input": {"question": ASK}, "output": {"answer": GOOD}, "metadata": {}}
    ),
    # https://docs.wandb.ai
    "Weights & Biases, table": json.dumps(
        {
            "columns": ["prompt", "response", "score"],
            "data": [[ASK, GOOD, 0.9], [MORE, BAD, 0.1]],
            "ncols": 3,
            "nrows": 2,
        }
    ).encode(),
    # https://www.promptfoo.dev
    "promptfoo, results": json.dumps(
        {
            "evalId": "e1",
            "results": {
                "version": 3,
                "results": [
                    {
                        "prompt": {"raw": ASK, "label": "p"},
                        "response": {"output": BAD},
                        "success": False,
                        "score": 0,
                    }
                ],
            },
        }
    ).encode(),
    "promptfoo, CSV": table("question,[m1] Name it,Comment", (ASK, f"[FAIL] {BAD}", "")),
    # https://docs.confident-ai.com
    "DeepEval": listed(
        {
            "input": ASK,
            "actual_output": BAD,
            "expected_output": GOOD,
            "context": ["Rivers flow."],
            "retrieval_context": None,
        }
    ),
    # https://mlflow.org
    "MLflow, evaluation": lines(
        {"inputs": ASK, "ground_truth": GOOD, "predictions": BAD, "toxicity/v1/score": 0.1}
    ),
    "MLflow, evaluation table": json.dumps(
        {
            "columns": ["inputs", "outputs", "correctness/v1/score"],
            "data": [[ASK, BAD, 1]],
        }
    ).encode(),
    # https://github.com/openai/evals
    "OpenAI evals": lines(
        {"input": [{"role": "system", "content": "Be brief."}, user(ASK)], "ideal": GOOD}
    ),
    # https://inspect.aisi.org.uk
    "Inspect": lines({"input": ASK, "target": GOOD, "id": 1, "metadata": {}}),
    # https://huggingface.co/datasets/openai/gsm8k
    "GSM8K": lines({"question": ASK, "answer": GOOD}, {"question": MORE, "answer": FAIR}),
    # https://huggingface.co/datasets/cais/mmlu
    "MMLU": lines({"question": ASK, "subject": "geography", "choices": [BAD, GOOD], "answer": 1}),
    # https://huggingface.co/datasets/allenai/ai2_arc
    "ARC": lines(
        {
            "id": "a1",
            "question": ASK,
            "choices": {"text": [BAD, GOOD], "label": ["A", "B"]},
            "answerKey": "B",
        }
    ),
    # https://huggingface.co/datasets/truthfulqa/truthful_qa
    "TruthfulQA": lines(
        {
            "type": "Adversarial",
            "category": "Geography",
            "question": ASK,
            "best_answer": GOOD,
            "correct_answers": [GOOD],
            "incorrect_answers": [BAD],
            "source": "made",
        }
    ),
    # https://huggingface.co/datasets/google/IFEval
    "IFEval": lines(
        {"key": 1, "prompt": ASK, "instruction_id_list": ["no_comma"], "kwargs": [{"n": None}]}
    ),
    # https://huggingface.co/datasets/openai/openai_humaneval
    "HumanEval": lines(
        {
            "task_id": "H/0",
            "prompt": ASK,
            "canonical_solution": GOOD,
            "test": "assert True",
            "entry_point": "f",
        }
    ),
    # https://huggingface.co/datasets/rajpurkar/squad
    "SQuAD": lines(
        {
            "id": "s1",
            "title": "Rivers",
            "context": "The Elbe flows through Hamburg.",
            "question": ASK,
            "answers": {"text": [GOOD], "answer_start": [0]},
        }
    ),
    # https://huggingface.co/datasets/lmsys/toxic-chat
    "ToxicChat": table(
        "conv_id,user_input,model_output,human_annotation,toxicity,jailbreaking",
        ("c1", ASK, BAD, True, 1, 0),
    ),
    # https://huggingface.co/datasets/walledai/XSTest
    "XSTest": table("id,prompt,type,label,focus,note", (1, ASK, "homonyms", "safe", "river", "")),
    # https://huggingface.co/datasets/allenai/wildguardmix
    "WildGuard": lines(
        {
            "prompt": ASK,
            "adversarial": False,
            "response": BAD,
            "prompt_harm_label": "unharmful",
            "response_refusal_label": "refusal",
            "response_harm_label": "unharmful",
            "subcategory": "benign",
        }
    ),
}

"""Exports of labeling tools, written by us after their documentation."""

import json
from typing import Any

from tests.labeling.importers.peers.texts import ASK, BAD, FAIR, GOOD, lines, listed, table


def task(*annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    data = data or {"prompt": ASK, "answer1": BAD, "answer2": GOOD}
    return {
        "id": 11,
        "annotations": list(annotations),
        "drafts": [],
        "predictions": [],
        "data": data,
        "meta": {},
        "created_at": "2025-03-01T10:00:00Z",
        "updated_at": "2025-03-02T10:00:00Z",
        "inner_id": 1,
        "total_annotations": len(annotations),
        "cancelled_annotations": 0,
        "total_predictions": 0,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": 3,
        "updated_by": 1,
        "comment_authors": [],
    }


def annotation(by: int, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": by * 10,
        "completed_by": by,
        "result": list(results),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2025-03-01T11:00:00Z",
        "lead_time": 12.5,
        "unique_id": f"u{by}",
        **more,
    }


def result(kind: str, name: str, **value: Any) -> dict[str, Any]:
    return {
        "id": f"r-{name}",
        "type": kind,
        "value": value,
        "origin": "manual",
        "to_name": "answer1,answer2",
        "from_name": name,
    }


RIGHT = result("pairwise", "better", selected="right")
SINGLE = {"prompt": ASK, "response": GOOD}
REVIEW = {"id": 5, "created_by": {"id": 9}, "accepted": False, "created_at": "2025-03-03"}
JSON_MIN = {
    "prompt": ASK,
    "answer1": BAD,
    "answer2": GOOD,
    "id": 11,
    "better": [{"selected": "right"}],
    "annotator": 3,
    "annotation_id": 30,
    "created_at": "2025-03-01T11:00:00Z",
    "updated_at": "2025-03-01T11:00:00Z",
    "lead_time": 12.5,
}
LS_CSV = "id,prompt,answer1,answer2,better,annotator,annotation_id,created_at,updated_at,lead_time"
LS_ROW = (11, ASK, BAD, GOOD, json.dumps({"selected": "right"}), 3, 30, "2025-03-01", "", 12.5)

PEERS: dict[str, bytes] = {
    # https://labelstud.io/guide/export
    "Label Studio JSON, pairwise": listed(task(annotation(3, RIGHT))),
    "Label Studio JSON, ranker": listed(
        task(
            annotation(3, result("ranker", "order", ranker=["b", "a"])),
            prompt=ASK,
            items=[{"id": "a", "body": BAD}, {"id": "b", "body": GOOD}],
        )
    ),
    "Label Studio JSON, rating": listed(
        task(annotation(3, result("rating", "quality", rating=4)), **SINGLE)
    ),
    "Label Studio JSON, choices": listed(
        task(annotation(3, result("choices", "tone", choices=["polite"])), **SINGLE)
    ),
    "Label Studio JSON, several choices": listed(
        task(annotation(3, result("choices", "tone", choices=["a", "b"])), **SINGLE)
    ),
    "Label Studio JSON, taxonomy": listed(
        task(annotation(3, result("taxonomy", "topic", taxonomy=[["Earth", "Water"]])), **SINGLE)
    ),
    "Label Studio JSON, text": listed(
        task(annotation(3, result("textarea", "answer", text=[GOOD])), prompt=ASK)
    ),
    "Label Studio JSON, cancelled": listed(
        task(
            annotation(3, result("textarea", "answer", text=[BAD]), was_cancelled=True),
            prompt=ASK,
        )
    ),
    "Label Studio Enterprise, rejected in review": listed(
        task(
            annotation(3, result("textarea", "answer", text=[BAD]), reviews=[REVIEW]),
            annotation(4, result("textarea", "answer", text=[GOOD]), reviews=[]),
            prompt=ASK,
        )
    ),
    "Label Studio Enterprise, rejected vote": listed(
        task(
            annotation(3, result("pairwise", "better", selected="left"), reviews=[REVIEW]),
            annotation(4, RIGHT, reviews=[REVIEW, REVIEW | {"accepted": True}]),
        )
    ),
    "Label Studio JSON-MIN, pairwise": listed(JSON_MIN),
    "Label Studio JSON-MIN, rating": listed(
        *(
            {"id": n, "text": text, "quality": [{"rating": stars}], "annotator": by}
            for n, text in ((1, GOOD), (2, BAD))
            for by, stars in ((3, 5 - n), (4, 4 - n))
        )
    ),
    "Label Studio JSON-MIN, taxonomy": listed(
        JSON_MIN | {"topic": [{"taxonomy": [["Earth", "Water"]]}]}
    ),
    "Label Studio CSV, pairwise": table(LS_CSV, LS_ROW),
    "Label Studio TSV, pairwise": table(LS_CSV, LS_ROW, delimiter="\t"),
    "Label Studio CSV, rating": table(
        "id,text,quality,annotator,annotation_id,lead_time",
        *(
            (n, t, s, a, n * 10 + a, 3.2)
            for n, t, s, a in ((1, GOOD, 5, 3), (1, GOOD, 4, 4), (2, BAD, 1, 3), (2, BAD, 2, 4))
        ),
    ),
    # https://docs.argilla.io
    "Argilla 2, ranking": lines(
        {
            "id": "r1",
            "status": "completed",
            "fields": {"prompt": ASK, "response_a": BAD, "response_b": GOOD},
            "metadata": {},
            "suggestions": {},
            "responses": {"order": [{"value": ["response_b", "response_a"], "user_id": "u1"}]},
            "vectors": {},
        }
    ),
    "Argilla 2, discarded": lines(
        {
            "id": "r1",
            "status": "pending",
            "fields": {"prompt": ASK},
            "responses": {
                "answer": [
                    {"value": BAD, "user_id": "u1", "status": "discarded"},
                    {"value": GOOD, "user_id": "u2", "status": "submitted"},
                ]
            },
        }
    ),
    "Argilla 1, feedback": lines(
        {
            "id": "r1",
            "fields": {"prompt": ASK, "response-1": BAD, "response-2": GOOD},
            "metadata": {},
            "responses": [
                {
                    "user_id": "u1",
                    "status": "submitted",
                    "values": {
                        "order": {
                            "value": [
                                {"value": "response-2", "rank": 1},
                                {"value": "response-1", "rank": 2},
                            ]
                        }
                    },
                }
            ],
            "suggestions": [],
            "external_id": None,
        }
    ),
    "Argilla 1, text classification": lines(
        {
            "text": ASK,
            "inputs": {"text": ASK},
            "prediction": [{"label": "easy", "score": 0.8}],
            "prediction_agent": "m1",
            "annotation": "hard",
            "annotation_agent": "u1",
            "status": "Validated",
            "id": "r1",
            "metadata": {},
        }
    ),
    # https://prodi.gy/docs/api-interfaces
    "Prodigy, choice": lines(
        *(
            {
                "text": ASK,
                "options": [{"id": "a", "text": BAD}, {"id": "b", "text": GOOD}],
                "accept": ["b"] if answer == "accept" else [],
                "answer": answer,
                "_input_hash": 1,
                "_task_hash": 2,
                "_annotator_id": f"river-{by}",
                "_session_id": f"river-{by}",
                "_timestamp": 1700000000,
            }
            for by, answer in (("ann", "accept"), ("bob", "ignore"), ("cem", "reject"))
        )
    ),
    "Prodigy, accept and reject": lines(
        {"prompt": ASK, "response": GOOD, "answer": "accept", "_annotator_id": "ann"},
        {"prompt": ASK, "response": BAD, "answer": "reject", "_annotator_id": "ann"},
        {"prompt": ASK, "response": BAD, "answer": "ignore", "_annotator_id": "bob"},
    ),
    "Prodigy, text input": lines(
        {"text": ASK, "user_input": GOOD, "answer": "accept", "_annotator_id": "ann"}
    ),
    # https://doccano.github.io/doccano
    "doccano, sequence to sequence": lines({"id": 1, "text": ASK, "label": [GOOD], "Comments": []}),
    "doccano, classification": lines(
        {"id": 1, "text": ASK, "label": ["easy"], "Comments": []},
        {"id": 2, "text": FAIR, "label": ["hard"], "Comments": []},
    ),
    "LightTag": json.dumps(
        {
            "examples": [
                {
                    "content": ASK,
                    "example_id": "e1",
                    "metadata": {},
                    "classifications": [
                        {"classname": "easy", "annotators": ["ann"], "reviewed": True}
                    ],
                    "annotations": [],
                }
            ]
        }
    ).encode(),
    # https://potato-annotation.readthedocs.io
    "Potato TSV, pairwise": table(
        "user,instance_id,displayed_text,preference:::A,preference:::B",
        ("ann", "i1", ASK, "", "B"),
        ("bob", "i1", ASK, "A", ""),
        delimiter="\t",
    ),
    "Potato CSV, Likert": table(
        "user,instance_id,displayed_text,quality:::scale_1,quality:::scale_2,quality:::scale_3",
        ("ann", "i1", GOOD, "", "", "3"),
        ("bob", "i1", GOOD, "", "2", ""),
        ("ann", "i2", BAD, "1", "", ""),
    ),
    "Potato JSONL, pairwise": lines(
        *(
            {
                "user_id": by,
                "instance_id": "i1",
                "displayed_text": ASK,
                "label_annotations": {"preference": {choice: choice}},
                "span_annotations": {},
            }
            for by, choice in (("ann", "B"), ("bob", "A"))
        )
    ),
    # https://docs.aws.amazon.com/AWSMechTurk
    "MTurk, pairs": table(
        "HITId,HITTypeId,Title,AssignmentId,WorkerId,AssignmentStatus,WorkTimeInSeconds,"
        "Input.prompt,Input.response_a,Input.response_b,Answer.better,Approve,Reject",
        ("h1", "t", "Pick", "a1", "w1", "Submitted", 31, ASK, BAD, GOOD, "B"),
        ("h1", "t", "Pick", "a2", "w2", "Rejected", 2, ASK, BAD, GOOD, "A"),
    ),
    # https://toloka.ai/docs
    "Toloka, pairs": table(
        "INPUT:prompt,INPUT:left,INPUT:right,OUTPUT:result,GOLDEN:result,ASSIGNMENT:link,"
        "ASSIGNMENT:assignment_id,ASSIGNMENT:worker_id,ASSIGNMENT:status,ASSIGNMENT:started",
        (ASK, BAD, GOOD, "right", "", "l", "as1", "w1", "APPROVED", "2024-01-01T10:00:00"),
        (ASK, BAD, GOOD, "left", "", "l", "as2", "w2", "REJECTED", "2024-01-01T10:00:00"),
        delimiter="\t",
    ),
    "Toloka, aggregated": table(
        "INPUT:prompt,INPUT:response,OUTPUT:verdict,CONFIDENCE:verdict",
        (ASK, GOOD, "good", "98.1%"),
        (ASK, BAD, "bad", "77.2%"),
        delimiter="\t",
    ),
    # https://app.surgehq.ai/docs
    "Surge": table(
        "task_id,worker_id,prompt,completion_a,completion_b,Which completion is better?,"
        "Explanation,time_spent_in_secs,is_gold_standard",
        ("t1", "w1", ASK, BAD, GOOD, "Completion B is much better", "A is rude", 40, ""),
        ("t1", "w2", ASK, BAD, GOOD, "Completion B is slightly better", "", 30, ""),
    ),
    # https://scale.com/docs
    "Scale": listed(
        {
            "task_id": "t1",
            "type": "textcollection",
            "status": "completed",
            "params": {"attachments": [{"type": "text", "content": ASK}]},
            "response": {"annotations": {"answer": {"type": "text", "response": [[GOOD]]}}},
            "metadata": {},
        }
    ),
    # https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
    "SageMaker Ground Truth": lines(
        {
            "source": GOOD,
            "is-good": 0,
            "is-good-metadata": {
                "class-name": "good",
                "confidence": 0.9,
                "type": "groundtruth/text-classification",
                "job-name": "labeling-job/rivers",
                "human-annotated": "yes",
                "creation-date": "2024-01-01T10:00:00",
            },
        }
    ),
    "Amazon A2I": json.dumps(
        {
            "flowDefinitionArn": "arn:aws:sagemaker:flow",
            "humanAnswers": [
                {
                    "acceptanceTime": "2024-01-01T10:00:00Z",
                    "answerContent": {"better": {"label": "B"}},
                    "submissionTime": "2024-01-01T10:01:00Z",
                    "timeSpentInSeconds": 60,
                    "workerId": "w1",
                }
            ],
            "humanLoopName": "loop",
            "inputContent": {"prompt": ASK, "response_a": BAD, "response_b": GOOD},
        }
    ).encode(),
}

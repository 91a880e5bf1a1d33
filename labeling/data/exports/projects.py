"""Label Studio tasks and Argilla records: one per prompt with its responses, with all raters'
answers.
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from django.utils.translation import gettext_noop

from arithmetic.chats import PARTS, as_json
from labeling.data.exports.columns import TOOLS, Record, has_parts

NO_ORDER = gettext_noop("rankings with ties or unranked responses, which this tool cannot hold")
NOT_ALL_RANKED = gettext_noop("rankings with unranked responses, which this tool cannot hold")
_RATERS = uuid.UUID("5d1f2b2e-8a3c-4c1e-9f5a-0f6f5d0b7a11")
"""Argilla knows its users by UUID. Each alias always gives the same one."""

Answer = Callable[[Record, Counter[str]], object]


def label_studio(records: Iterable[Record], left_out: Counter[str]) -> Iterator[Record]:
    """What Label Studio imports: `data`, and an annotation per rater. `completed_by` is left out,
    because it must be a user of that installation; `rater` is our alias.
    """
    for number, (first, answers) in enumerate(_grouped(records, _ls_result, left_out), start=1):
        annotations = [
            {"rater": rater, "result": [result], "was_cancelled": False}
            for rater, result in answers
        ]
        yield {"id": number, "data": _ls_data(first), "annotations": annotations}


def argilla(records: Iterable[Record], left_out: Counter[str]) -> Iterator[Record]:
    """Records as Argilla 2 writes and reads them."""
    for first, answers in _grouped(records, _argilla_answer, left_out):
        question = "ranking" if "responses" in first else "response"
        responses = [
            {"value": value, "user_id": str(uuid.uuid5(_RATERS, rater)), "status": "submitted"}
            for rater, value in answers
        ]
        yield {
            "id": _key(first),
            "status": "completed" if responses else "pending",
            "fields": {"prompt": first["prompt"]} | _texts(first),
            "metadata": _about(first),
            "suggestions": {},
            "responses": {question: responses} if responses else {},
            "vectors": {},
        }


def _grouped(
    records: Iterable[Record], answer: Answer, left_out: Counter[str]
) -> Iterator[tuple[Record, list[tuple[str, object]]]]:
    """The first record about each prompt with its responses, and (rater, answer) of all of them.
    They are all in memory, because the answers to an item are given over weeks.
    """
    projects: dict[str, tuple[Record, list[tuple[str, object]]]] = {}
    for record in records:
        _first, answers = projects.setdefault(_key(record), (record, []))
        own_answer = answer(record, left_out)
        if own_answer is not None:
            answers.append((record["rater"], own_answer))
    yield from projects.values()


def _key(record: Record) -> str:
    shown = [response["response"] for response in record.get("responses", ())]
    turn = record.get("turn", 0)
    return "-".join(map(str, [record["prompt_id"], *shown, *([f"turn{turn}"] if turn else [])]))


def _about(record: Record) -> Record:
    about = {name: record[name] for name in ("prompt_id", "split", "category", "language")}
    licences = [response["licence"] for response in record.get("responses", ())]
    return {
        **about,
        "licence": record["prompt_licence"],
        "source": record["prompt_source"],
        "licences_of_responses": json.dumps(licences),
        **_parts(record),
    }


def _parts(record: Record) -> dict[str, str]:
    """Thinking, tool calls and tools as JSON, because the tools show texts only."""
    if not has_parts(record):
        return {}
    answers = record.get("responses") or record.get("completion", ())
    parts = [{name: answer[name] for name in PARTS if name in answer} for answer in answers]
    return {"parts_of_responses": as_json(parts), TOOLS: as_json(record.get(TOOLS, []))}


def _texts(record: Record) -> dict[str, str]:
    return {
        f"response_{number}": response["text"]
        for number, response in enumerate(record.get("responses", ()), start=1)
    }


# --- Label Studio ---------------------------------------------------------------------------------


def _ls_data(record: Record) -> Record:
    data = {"prompt": record["prompt"]} | _about(record)
    texts = _texts(record)
    if len(texts) == 2:
        return data | texts
    if texts:
        data["items"] = [{"id": name, "body": text} for name, text in texts.items()]
    return data


def _ls_result(record: Record, left_out: Counter[str]) -> Record | None:
    if "responses" not in record:
        text = "".join(turn["content"] for turn in record["completion"])
        return _result("response", "prompt", "textarea", {"text": [text]})
    ranks = [response["rank"] for response in record["responses"]]
    if None in ranks or len(set(ranks)) < len(ranks):
        left_out[NO_ORDER] += 1
        return None
    if len(ranks) == 2:
        selected = "left" if ranks[0] < ranks[1] else "right"
        return _result("better", "response_1,response_2", "pairwise", {"selected": selected})
    order = sorted(range(len(ranks)), key=ranks.__getitem__)
    ranker = {"rank": [f"response_{place + 1}" for place in order]}
    return _result("rank", "responses", "ranker", {"ranker": ranker})


def _result(from_name: str, to_name: str, kind: str, value: Record) -> Record:
    return {"from_name": from_name, "to_name": to_name, "type": kind, "value": value}


# --- Argilla --------------------------------------------------------------------------------------


def _argilla_answer(record: Record, left_out: Counter[str]) -> object:
    if "responses" not in record:
        return "".join(turn["content"] for turn in record["completion"])
    ranks = [response["rank"] for response in record["responses"]]
    if None in ranks:
        left_out[NOT_ALL_RANKED] += 1
        return None
    return [
        {"value": f"response_{number}", "rank": rank} for number, rank in enumerate(ranks, start=1)
    ]


# --- how the tools read them ----------------------------------------------------------------------

_LS = """Create a project with this labeling interface, then import the file.

```xml
<View>
  <Paragraphs name="prompt" value="$prompt" layout="dialogue" nameKey="role" textKey="content"/>
{controls}
</View>
```

{notes}"""
_LS_ORDERS = """  <!-- two responses -->
  <Pairwise name="better" toName="response_1,response_2"/>
  <Text name="response_1" value="$response_1"/>
  <Text name="response_2" value="$response_2"/>
  <!-- more than two -->
  <Ranker name="rank" toName="responses"/>
  <List name="responses" value="$items"/>"""
_LS_TEXTS = """  <TextArea name="response" toName="prompt"/>"""
_ARGILLA = """```python
import argilla as rg

settings = rg.Settings(
    fields=[rg.ChatField("prompt"){fields}],
    questions=[{question}],
)
dataset = rg.Dataset(name="preferably", settings=settings).create()
dataset.records.from_json("records.json")
```

A rater's `user_id` is a UUID made of the pseudonym."""
_NOT_THERE = "Ratings, strengths and reasons are in the shape `rankings` only."
NOTES = {
    "label_studio": _LS.format(
        controls=_LS_ORDERS,
        notes=f"An annotation's `rater` is a pseudonym. {_NOT_THERE}",
    ),
    "label_studio_texts": _LS.format(
        controls=_LS_TEXTS, notes="An annotation's `rater` is a pseudonym."
    ),
    "argilla": _ARGILLA.format(
        fields=', *(rg.TextField(f"response_{n}", required=n < 3) for n in range(1, 10))',
        question='rg.RankingQuestion("ranking", [f"response_{n}" for n in range(1, 10)])',
    )
    + f" {_NOT_THERE}",
    "argilla_texts": _ARGILLA.format(fields="", question='rg.TextQuestion("response")'),
}
"""Shape → what its dataset card says about reading it."""

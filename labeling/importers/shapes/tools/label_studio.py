"""Label Studio's tasks with all their annotations (JSON)."""

from django.utils.translation import gettext as _

from labeling.importers import few_values
from labeling.importers.annotations import times
from labeling.importers.annotations.roles import question_name
from labeling.importers.drafts import Found, ImportProblem, shown
from labeling.importers.shapes import reading, verdicts
from labeling.importers.shapes.reading import Row
from labeling.importers.shapes.tools import projects


def _drafts(line: int, row: Row) -> Found:
    data = row.get("data")
    if not isinstance(data, dict):
        yield ImportProblem(line, _("`data` is not an object. Fix or remove this line."))
        return
    annotations = row.get("annotations")
    answers: projects.Answers = []
    for place, annotation in enumerate(annotations if isinstance(annotations, list) else ()):
        if isinstance(annotation, dict) and annotation.get("was_cancelled") is True:
            sentence = _("Answers that their annotators cancelled are left out.")
            yield ImportProblem(line, sentence, is_once=True)
        elif isinstance(annotation, dict):
            results = annotation.get("result")
            if not isinstance(results, list) or not results:
                continue
            name = _annotator(annotation, place)
            if _is_rejected(annotation.get("reviews")):
                sentence = _("The answer of %(name)s was rejected in review, so it is left out.")
                yield ImportProblem(line, sentence % {"name": name})
                continue
            answer = projects.Said(doubtful=_doubtful(annotation))
            answers.append((name, answer))
            answer.at, _why = times.moment(str(annotation.get("created_at") or ""))
            answer.active_s = reading.number_of(annotation.get("lead_time"))
            for result in results:
                if isinstance(result, dict) and isinstance(result.get("value"), dict):
                    _note(answer, result, result["value"], data)
    yield from projects.drafts_of(line, data, answers, data, item=projects.id_of(row))


_OF_ANNOTATION = {
    *("id", "completed_by", "rater", "result", "was_cancelled", "ground_truth", "created_at"),
    *("updated_at", "draft_created_at", "lead_time", "prediction", "result_count", "unique_id"),
    *("import_id", "last_action", "task", "project", "updated_by", "parent_prediction"),
    *("parent_annotation", "last_created_by", "bulk_created", "reviews", "agreement"),
}


def _doubtful(annotation: Row) -> set[str]:
    """Its fields that may say whether its answer is good."""
    short = few_values.short_fields(verdicts.own_fields(annotation, _OF_ANNOTATION))
    return verdicts.doubtful(annotation, _OF_ANNOTATION) | {name for name, _path in short}


def _is_rejected(reviews: object) -> bool:
    """Whether the last of the reviews, which Enterprise has, says no."""
    said = [
        review["accepted"]
        for review in (reviews if isinstance(reviews, list) else ())
        if isinstance(review, dict) and isinstance(review.get("accepted"), bool)
    ]
    return said[-1:] == [False]


def _annotator(annotation: Row, place: int) -> str:
    """The annotator's number: an e-mail address must not become a name."""
    by = annotation.get("completed_by")
    number = by.get("id") if isinstance(by, dict) else by
    if isinstance(number, int) and not isinstance(number, bool):
        return f"annotator {number}"
    if isinstance(annotation.get("rater"), str):  # in this site's own export: an alias
        return shown(annotation["rater"])
    return f"annotation {place + 1}"


def _note(answer: projects.Said, result: Row, value: Row, data: Row) -> None:
    kind = result.get("type")
    names = [name for name in data if name.lower().startswith(projects.ANSWERS)]
    texts = value.get("text")
    if kind == "pairwise" and value.get("selected") in ("left", "right") and len(names) == 2:
        is_left = value["selected"] == "left"
        answer.ranks = dict(zip(names, (1, 2) if is_left else (2, 1), strict=True))
    elif kind == "ranker" and (order := _order(value.get("ranker"))):
        answer.ranks = {name: rank for rank, name in enumerate(order, start=1)}
    elif kind == "textarea":
        texts = texts if isinstance(texts, list) else [texts]
        answer.texts += [
            text for text in texts if isinstance(text, str) and text.strip() and "\0" not in text
        ]
    elif (rating := _rating(str(kind), value)) is not None:
        answer.ratings[question_name(shown(result.get("from_name")))] = rating
    else:
        answer.unread.append(shown(result.get("from_name")))


def _rating(kind: str, value: Row) -> object:
    """A number of stars, a number, or the one chosen category; None for anything else."""
    rating = value.get(kind)
    if kind == "choices" and isinstance(rating, list) and len(rating) == 1:
        rating = rating[0]
    is_known = kind in ("rating", "number", "choices") and projects.is_rating(rating)
    return rating if is_known else None


def _order(ranker: object) -> list[str]:
    """The ids in order; a ranker with several lists has them by the list's name."""
    if isinstance(ranker, dict):
        ranker = ranker.get("rank") or next(iter(ranker.values()), None)
    if not isinstance(ranker, list) or not all(isinstance(name, str | int) for name in ranker):
        return []
    return [str(name) for name in ranker]


read = reading.each_several(
    _drafts,
    (
        "id",
        "inner_id",
        "data",
        "annotations",
        "created_at",
        "updated_at",
        "project",
        "file_upload",
        "total_annotations",
        "cancelled_annotations",
        "total_predictions",
        *("comment_count", "unresolved_comment_count"),
        *("last_comment_updated_at", "updated_by", "comment_authors", "reviewed", "agreement"),
    ),
    is_by_raters=True,
)

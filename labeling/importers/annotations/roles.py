"""What a column of a table of answers is: the roles, and the headings that people give them."""

import re
from collections.abc import Collection, Mapping, Sequence

Roles = Mapping[str, str]
"""Heading in the file → role; a heading without a role is not imported."""

ITEM, RATER, PROMPT, RESPONSE, MODEL = "item", "rater", "prompt", "response", "model"
LEFT, RIGHT, LEFT_MODEL, RIGHT_MODEL = "left", "right", "left_model", "right_model"
MODELS = "models"
"""the names of both models in one column, such as bloom-7b_llama-7b"""
WINNER, STRENGTH, RANK = "winner", "strength", "rank"
QUESTION, VALUE, ANSWER, SCALE, CHOICE, FLAG = (
    "question",
    "value",
    "answer",
    "scale",
    "choice",
    "flag",
)
LEFT_ANSWER, RIGHT_ANSWER, BY_RATER = "left_answer", "right_answer", "by_rater"
TEXT, REASON, AT, ACTIVE_S, ANSWER_ID = "text", "reason", "at", "active_s", "answer_id"
CATEGORY, LANGUAGE, LICENCE = "category", "language", "licence"

MANY = {PROMPT, ANSWER, SCALE, CHOICE, FLAG, LEFT_ANSWER, RIGHT_ANSWER, BY_RATER}
"""Roles that several columns may have."""
ROLES = (
    *(RATER, BY_RATER, ITEM, PROMPT, RESPONSE, MODEL, LEFT, RIGHT, LEFT_MODEL, RIGHT_MODEL, MODELS),
    *(WINNER, STRENGTH, RANK, ANSWER, SCALE, CHOICE, FLAG, LEFT_ANSWER, RIGHT_ANSWER),
    *(QUESTION, VALUE, TEXT, REASON, AT, ACTIVE_S, ANSWER_ID, CATEGORY, LANGUAGE, LICENCE),
)

NAMES: Mapping[str, Sequence[str]] = {
    RATER: (
        *("rater", "raterid", "worker", "workerid", "annotator", "annotatorid", "labeler"),
        *("labelerid", "labeller", "coder", "coderid", "judge", "judgeid", "participant"),
        *("participantid", "prolificid", "prolificpid", "evaluator", "evaluatorid", "assessor"),
        *("assessorid", "reviewer", "reviewerid", "crowdworker", "subjectid", "expert"),
        *("ratedby", "annotatedby", "labeledby", "judgedby", "completedby", "raterhash", "turker"),
        *("user", "userid", "username", "workerhash", "annotatorname", "ratername", "by"),
    ),
    ITEM: (
        *("item", "itemid", "exampleid", "example", "questionid", "taskid", "unit", "unitid"),
        *("pairid", "sampleid", "docid", "documentid", "hitid", "instanceid", "textid", "promptid"),
        *("comparisonid", "conversationid", "postid", "commentid", "tweetid", "sentenceid"),
        *("id", "idx", "index", "uid", "key"),
    ),
    ANSWER_ID: ("answerid", "annotationid", "assignmentid", "voteid", "judgmentid", "responseid"),
    PROMPT: (
        *("prompt", "instruction", "question", "query", "objective", "context", "input", "post"),
        *("article", "messages", "conversation", "dialogue", "dialog", "userprompt", "source"),
        *("displayedtext",),
    ),
    RESPONSE: (
        *("response", "completion", "assistantresponse", "modelresponse", "output", "generation"),
        *(
            "decoded",
            "reply",
            "summary",
            "translation",
            "text",
            "tweet",
            "comment",
            "sentence",
            "document",
        ),
        *("content", "passage", "review", "statement", "message", "headline", "answer", "body"),
    ),
    MODELS: ("cmpkey", "modelpair", "models", "systems", "pair", "matchup", "battle"),
    MODEL: ("model", "modelname", "modelid", "system", "systemid", "generator", "bot", "engine"),
    WINNER: (
        *("winner", "preference", "preferred", "overallpreference", "choice", "chosen", "vote"),
        *("better", "best", "selected", "selection", "verdict", "judgment", "judgement", "label"),
        *("annotation", "answer", "result", "value"),
    ),
    STRENGTH: ("strength", "preferencestrength", "degree", "magnitude"),
    RANK: ("rank", "ranking", "ranked"),
    QUESTION: (
        *("dimension", "aspect", "attribute", "criterion", "criteria", "metric", "questionname"),
        *("labelname", "questiontype", "measure", "scalename", "facet"),
    ),
    VALUE: ("value", "score", "rating", "label", "annotation", "vote", "answer", "judgment"),
    TEXT: (
        *("demonstration", "rewrite", "revision", "edited", "correction", "humanresponse"),
        *("humananswer", "writtenanswer", "written", "ratertext", "goldresponse"),
    ),
    REASON: (
        *("reason", "justification", "explanation", "rationale", "comments", "notes", "note"),
        *("feedback", "remarks", "remark", "why", "annotatorcomment", "comment"),
    ),
    AT: (
        *("at", "submittedat", "annotatedat", "completedat", "createdat", "timestamp", "time"),
        *("submittime", "submissiontime", "datetime", "date", "tstamp", "endtime", "createtime"),
        *("updatedat", "insertedat", "votedat", "ratedat", "enddate"),
    ),
    ACTIVE_S: (
        *("actives", "seconds", "duration", "durations", "durationseconds", "timespent"),
        *("worktimeinseconds", "worktime", "leadtime", "elapsed", "timetaken", "secondsspent"),
        *("durationinseconds", "durationsec", "timespentseconds", "responsetime", "rt"),
    ),
    CATEGORY: ("category", "usecase"),
    LANGUAGE: ("language", "lang"),
    LICENCE: ("licence", "license"),
}
"""Role → headings that mean it, without spaces and signs, the likeliest first."""

KNOWN_ANSWERS = frozenset(
    {
        *NAMES[VALUE],
        *("helpfulness", "helpful", "harmlessness", "harmful", "harm", "harmscore", "honesty"),
        *("toxicity", "toxic", "severity", "quality", "overall", "overallscore", "overallrating"),
        *("fluency", "coherence", "relevance", "consistency", "correctness", "factuality"),
        *("accuracy", "safety", "safe", "unsafe", "truthfulness", "verbosity", "complexity"),
        *("sentiment", "stance", "class", "grade", "stars", "likert", "refusal", "hate", "flag"),
        *("humanscore", "humanlabel", "humanrating", "annotatorlabel", "raterlabel", "flagged"),
        *("usefulness", "clarity", "naturalness", "engagement", "understandability", "adequacy"),
    }
)
"""Headings of answers that count as such although the first rows show no difference of opinion."""

_TEXTS = (
    *("response", "result", "answer", "completion", "output", "summary", "text", "candidate"),
    *("generation", "reply", "translation", "message", "modelresponse", "modeloutput", "option"),
    *("assistantresponse", "conversation", "story", "sentence", "system", ""),
)
_MODELS = ("model", "modelname", "modelid", "system", "systemname", "source", "bot", "agent")
_SIDES = (
    ("a", "b"),
    ("x", "y"),
    ("left", "right"),
    ("1", "2"),
    ("0", "1"),
    ("first", "second"),
    ("one", "two"),
    ("i", "ii"),
)
_PREFIX = re.compile(
    r"^(input|answer|output|assignment|data|metadata|task|result)[.:/]\s*(?=.)", re.IGNORECASE
)
_NUMBERED = re.compile(
    r"^(?P<stem>.*?\D)(?:[\s_.\-#:]*(?P<number>\d{1,3})|[\s_.\-#:]+(?P<letter>[a-e]))$",
    re.IGNORECASE,
)
_ONE_SIDE = re.compile(
    r"^(?P<stem>.*\w)[\s_.\-]+(?P<side>a|b|left|right|first|second)$", re.IGNORECASE
)
_SIDE_WORDS = "|".join(sorted({side for pair in _SIDES for side in pair}, key=len, reverse=True))
_SIDE_LAST = re.compile(rf"^(?P<stem>.+?)[\s_.\-]*({_SIDE_WORDS})$", re.IGNORECASE)
_SIDE_FIRST = re.compile(rf"^({_SIDE_WORDS})[\s_.\-]+(?P<stem>.+)$", re.IGNORECASE)
_NOT_RATED = (
    *("turn", "prompt", "response", "text", "model", "completion", "output", "message", "system"),
    *("candidate", "option", "context", "sentence", "summary", "translation", "input", "question"),
    *("id", "reason", "comment", "explanation", "time", "duration", "name", "date", "key"),
)


def compact(heading: str) -> str:
    """A heading without case, spaces, signs and the prefixes of labeling tools."""
    return re.sub(r"[\W_]+", "", _PREFIX.sub("", heading.strip()).lower())


def named(role: str, headings: Collection[str]) -> str:
    """The heading that most likely has this role; empty if none has one of its names."""
    by_name = {compact(heading): heading for heading in reversed(list(headings))}
    return next((by_name[name] for name in NAMES[role] if name in by_name), "")


def sides(headings: Collection[str], stems: Sequence[str]) -> tuple[str, str] | None:
    """The headings of the left and the right of two things, such as response_a and response_b."""
    by_name = {compact(heading): heading for heading in headings}
    for stem in stems:
        for left, right in _SIDES:
            for first, second in ((stem + left, stem + right), (left + stem, right + stem)):
                if first in by_name and second in by_name:
                    return by_name[first], by_name[second]
    return None


def text_sides(headings: Collection[str]) -> tuple[str, str] | None:
    return sides(headings, _TEXTS)


def model_sides(headings: Collection[str]) -> tuple[str, str] | None:
    return sides(headings, _MODELS)


def answers_by_side(headings: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of columns that rate the left and the right response on the same question."""
    stems = {compact(heading) for heading in headings}
    pairs = []
    for left, right in _SIDES:
        for name in sorted(stems):
            stem = name.removesuffix(left)
            if name != stem and stem and stem + right in stems:
                pair = sides(headings, [stem])
                if pair is not None and pair not in pairs:
                    pairs.append(pair)
    return pairs


def of_one_side(heading: str) -> str:
    """The role of a column that rates one of two responses by its name, such as overall_a; "" for
    other columns.
    """
    match = _ONE_SIDE.match(_PREFIX.sub("", heading.strip()))
    if match is None or compact(match["stem"]).endswith(_NOT_RATED):
        return ""
    return LEFT_ANSWER if match["side"].lower() in ("a", "left", "first") else RIGHT_ANSWER


def numbered(heading: str) -> tuple[str, str] | None:
    """(what is asked, which rater) of a column of one rater, such as ("human_score", "2")."""
    match = _NUMBERED.match(_PREFIX.sub("", heading.strip()))
    if match is None:
        return None
    stem = match["stem"].strip(" _.-#:")
    is_text = compact(stem).endswith(_NOT_RATED) or not stem
    return None if is_text else (stem, match["number"] or match["letter"])


def names_raters(headings: Collection[str]) -> bool:
    """Whether one of the headings must be that of a rater, or of the answers of one."""
    numbers = filter(None, map(numbered, headings))
    names = {*map(compact, headings), *(compact(stem) for stem, _number in numbers)}
    return bool(names & (set(NAMES[RATER]) - {"user", "by"}))


def asks_for_better(heading: str) -> bool:
    """Whether a heading is a question such as “Which completion is better?”."""
    return bool(_ASKS.search(compact(heading)))


_ASKS = re.compile(r"^which.*(?:better|best|prefer)|isbetter$|doyouprefer$")


def names_something(heading: str) -> bool:
    """Whether a column has numbers or names of rows, such as utterance_id, or a reviewer's mark."""
    words = re.findall(r"[a-z]+", _PREFIX.sub("", heading.strip()).lower())
    is_review = compact(heading) in _OF_REVIEWS
    return is_review or (words[-1:] in (["id"], ["hash"], ["uuid"]) and len(words) > 1)


_OF_REVIEWS = ("assignmentstatus", "status", "reviewstatus", "reviewresult")
_BETWEEN = re.compile(r"\s*(?:\b(?:vs|versus|and)\b\.?|[|,;&]|__|_vs_|/{2})\s*|_")


def two_models(value: str) -> tuple[str, str] | None:
    """The names of two models in one cell; None if it cannot be told where the first one ends."""
    parts = [part.strip() for part in _BETWEEN.split(value.strip())]
    is_pair = len(parts) == 2 and all(parts) and parts[0] != parts[1]
    return (parts[0], parts[1]) if is_pair else None


def without_side(heading: str) -> str:
    """What is asked of two responses: the heading of one side's answer without its side."""
    name = _PREFIX.sub("", heading.strip())
    for pattern in (_SIDE_LAST, _SIDE_FIRST):
        if match := pattern.match(name):
            return match["stem"].strip(" _.-")
    return name


def by_raters(headings: Collection[str]) -> dict[str, tuple[str, str]]:
    """Columns of one rater each → (what is asked, which rater). A column without a number is named
    by its rater, and answers what the others are asked.
    """
    parts = {heading: numbered(heading) for heading in headings}
    stems = {part[0] for part in parts.values() if part is not None}
    asked = next(iter(stems)) if len(stems) == 1 else "label"
    named = {heading: part or (asked, heading) for heading, part in parts.items()}
    return {
        heading: ("label" if compact(stem) in NAMES[RATER] else stem, rater)
        for heading, (stem, rater) in named.items()
    }


def question_name(heading: str) -> str:
    """A heading as the name of a question: letters, digits and underscores."""
    name = re.sub(r"\W+", "_", _PREFIX.sub("", heading.strip()).lower()).strip("_")[:60]
    return name if name.isidentifier() else f"q_{name}"

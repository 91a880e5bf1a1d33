"""What a person has to choose or to write in forms before they store anything. By URL name. A
sentence is written on by each tab; a word stays as it is.
"""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.pages.stale.walk import Values


class Uploaded(SimpleUploadedFile):
    """A file that can be sent several times."""

    def read(self, *args: Any) -> bytes:
        self.seek(0)
        content: bytes = super().read(*args)
        return content


GOLDS = (
    b'{"prompt": "Which is bigger?", "responses": ["Two.", "Three.", "Four.", "Five."],'
    b' "ranks": [4, 3, 2, 1]}\n'
)
VOTES = b"prompt,response_a,response_b,rater,winner\nWhich?,This one.,That one.,r1,a\n"
ITEMS = b'{"id": "q1", "prompt": "Capital of Chad?", "choices": ["Oslo", "Rome"], "answer": 1}\n'
SUITE = (
    b"id: capitals\nversion: '1'\nname: Capitals\nkind: choice\narea: capability\n"
    b"licence: CC0-1.0\n"
)
RULE = "Politeness."
REASON = (
    "The participant has answered none of the questions, and has pasted the same text into all."
)
WORDS = "A word or two"

VALUES: Values = {
    "answers_import": {
        "file": [Uploaded("votes.csv", VOTES)],  # type: ignore[list-item]
        "licence": "CC0-1.0",
        "means-a": "first",
        "campaign": WORDS,
    },
    "attempt": {"decision": "again"},
    "campaign_new": {
        "name": WORDS,
        "kind": "demonstration",
        "languages": "en",
        "overlap": "1",
        "budget_unit": "",
        "n_prompts": "1",
        "is_unused": "",
        "is_unjudged": "",
        "categories": [],
        "splits": [],
        "sources": [],
    },
    "campaign_change": {"budget_unit": "", "overlap": "2"},
    "campaign_gold_import": {"file": [Uploaded("golds.jsonl", GOLDS)]},  # type: ignore[list-item]
    "chain_decide": {"promotes": "1"},
    "crowd_prolific": {
        "description": "Write answers.",
        "reward": "3",
        "minutes": "20",
        "n_places": "5",
        "filter_set_id": "",
        "project_id": "",
        "screen_out_reward": "",
    },
    "desk_ask": {"question": "Does spelling count?"},
    "desk_skip": {"reason": "technical", "note": WORDS},
    "export_publish": {"repository": "team/votes"},
    "hub_import_new": {"repository": "team/set", "config": "", "split": "", "revision": ""},
    "import_new": {
        "file": [Uploaded("a.jsonl", b'{"prompt": "Name three rivers."}\n')],  # type: ignore[list-item]
        "licence": "CC0-1.0",
        "upload": "",
    },
    "invitations": {"email": "isa@example.org"},
    "join": {"name": WORDS, "password": "correct-horse-battery", "time_zone": "UTC"},
    "model_endpoint_new": {
        "url": "https://llm.example.org/v1",
        "served_name": "big",
        "key_variable": "",
        "licence": "MIT",
    },
    "model_keep": {"language": "en", "licence": "CC0-1.0"},
    "model_new": {"location": "team/model", "is_elsewhere": "on", "licence": "MIT"},
    "model_publish": {"repository": "team/model"},
    "my_skills": {"languages": "de"},
    "my_withdrawal": {"is_sure": "on"},
    "pay_answer": {"dispute-1-text": WORDS, "dispute-1-currency": "EUR"},
    "pay_mark": {"note": WORDS},
    "person": {"time_zone": "UTC"},
    "person_new": {"name": WORDS, "email": "isa@example.org", "time_zone": "UTC"},
    "pool_new": {"languages": "de", "expertise": ""},
    "pool_edit": {"languages": "de"},
    "pool_rates": {"amount": "9", "currency": "EUR", "from_day": ""},
    "profile": {"time_zone": "UTC"},
    "prolific_submission": {
        "return-reason": REASON,
        "reject-message": REASON,
        "reject-category": "LOW_EFFORT",
    },
    "prompt_edit": {"text": WORDS, "language": "en", "history": "", "constraints": ""},
    "prompt_new": {
        "text": WORDS,
        "language": "en",
        "split": "train",
        "licence": "CC0-1.0",
        "history": "",
        "constraints": "",
    },
    "rater_skills": {"languages": "de"},
    "red_teaming_new": {"briefs-0-rule": RULE, "name": WORDS},
    "run_extend": {"amount": "99"},
    "run_new": {"offloads": ""},
    "run_suite_raters": {"only_unsure": ""},
    "schedule_edit": {"time_zone": "UTC", "cron": "0 3 * * *"},
    "schedule_new": {"time_zone": "UTC", "trigger": "hand", "cron": "", "name": WORDS},
    "suite_new": {
        "upload": [Uploaded("suite.yaml", SUITE), Uploaded("items.jsonl", ITEMS)],  # type: ignore[list-item]
        **dict.fromkeys(["shape", "licence", "version", "name", "suite_id", "area"], ""),
        **dict.fromkeys(["scorer", "source"], ""),
    },
    "token_new": {"token-n_days": "30"},
    "turn_ask": {"question": "Does spelling count?"},
    "turn_skip": {"reason": "technical", "note": WORDS},
    "webhook_new": {"url": "https://example.org/hook", "name": WORDS},
}

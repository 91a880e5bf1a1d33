"""Which language a text is in. "unknown" is an answer: nobody can tell from a few letters."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from training.snapshots.curation.rules.verdicts import Text, Verdict

UNKNOWN = "unknown"
# Below this a guess is a coin toss between related languages.
SHORT = 40
# The beginning is enough, and reading it is slow.
READ = 500


@dataclass(frozen=True)
class Language:
    """The text is in one of these languages (ISO 639-1), or too short to tell."""

    NAME: ClassVar[str] = "language"
    languages: tuple[str, ...] = ("en",)
    min_confidence: float = 0.5
    removes_unknown: bool = False

    def __call__(self, text: Text) -> Verdict | None:
        if not self.languages:
            return None
        language, _confidence = language_of(text.text, min_confidence=self.min_confidence)
        if language in self.languages or (language == UNKNOWN and not self.removes_unknown):
            return None
        return Verdict(self.NAME, language, ", ".join(self.languages))


def language_of(text: str, *, min_confidence: float = 0.5) -> tuple[str, float]:
    """(ISO 639-1 code or "unknown", confidence from 0 to 1)"""
    if sum(map(str.isalpha, text[:READ])) < SHORT:
        return UNKNOWN, 0.0
    language, confidence = _identifier().classify(text[:READ])
    return (language, confidence) if confidence >= min_confidence else (UNKNOWN, confidence)


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

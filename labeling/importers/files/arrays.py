"""The objects of one JSON list, or of JSON that is spread over lines, in constant memory."""

import codecs
import json
import re
from dataclasses import replace

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem
from labeling.importers.files import limits, lines
from labeling.importers.files.lines import Opened, RepeatedKey, Value, Values

_DECODER = json.JSONDecoder(object_pairs_hook=lines.unique_keys)
_SPACE = re.compile(r"[ \t\r\n]*")


class _Text:
    """The part of the file that is not read yet, and the line where it starts."""

    def __init__(self, stream: Opened) -> None:
        self._chunks = lines.chunks(stream)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.line = 1
        self.is_ended = False

    def more(self) -> ImportProblem | None:
        """Append the next chunk. A problem means that the file is damaged."""
        chunk = next(self._chunks, b"")
        if isinstance(chunk, ImportProblem):
            return replace(chunk, line=self.line)
        self.is_ended = not chunk
        try:
            self.text += self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            sentence = _(
                "The file is not UTF-8 from here on. Save it as UTF-8 and import it again."
            )
            return ImportProblem(self.line + self.text.count("\n"), sentence, is_fatal=True)
        return None

    def drop(self, n: int) -> None:
        self.line += self.text.count("\n", 0, n)
        self.text = self.text[n:]

    def skip(self, marks: str) -> ImportProblem | None:
        """Drop white space and at most one of these marks."""
        while True:
            self.drop(_SPACE.match(self.text).end())  # type: ignore[union-attr]
            if self.text and self.text[0] in marks:
                self.drop(1)
                marks = ""
            elif self.text or self.is_ended:
                return None
            elif problem := self.more():
                return problem


def read(stream: Opened) -> Values:
    """The values of a list, or values that follow each other. A list that is broken is damaged as
    a whole: what follows the broken place cannot be found.
    """
    text = _Text(stream)
    if problem := text.skip(""):
        yield problem
        return
    is_list = text.text.startswith("[")
    mark = "["
    while True:
        if problem := text.skip(mark if is_list else ""):
            yield problem
            return
        if text.text.startswith("]") and is_list:
            text.drop(1)
            yield from _rest(text)
            return
        if not text.text:
            if is_list:
                yield _cut_off(text)
            return
        value = _next(text)
        yield value
        if isinstance(value, ImportProblem) and value.is_fatal:
            return
        mark = ","


def _rest(text: _Text) -> Values:
    """Reports what follows the end of the list."""
    if problem := text.skip(""):
        yield problem
    elif text.text:
        sentence = _("Text follows the end of the JSON list. Remove it and import the file again.")
        yield ImportProblem(text.line, sentence, is_fatal=True)


def _next(text: _Text) -> Value | ImportProblem:
    while True:
        problem = None
        try:
            value, end = _DECODER.raw_decode(text.text)
        except json.JSONDecodeError as error:
            # It may only be incomplete.
            if text.is_ended:
                return _broken(text, error)
        except (RepeatedKey, RecursionError, ValueError) as error:
            problem = lines.unusable_json(text.line, error)
            return replace(problem, is_fatal=True)
        else:
            if end < len(text.text) or text.is_ended:
                line = text.line
                text.drop(end)
                return limits.problem_of(line, value) or Value(line, value)
        if len(text.text) > lines.MAX_LINE:
            sentence = _(
                "The JSON starting here is broken, or one entry has more than %(limit)d characters."
                " Fix it and import the file again."
            )
            return ImportProblem(text.line, sentence % {"limit": lines.MAX_LINE}, is_fatal=True)
        problem = text.more()
        if problem:
            return problem


def _broken(text: _Text, error: json.JSONDecodeError) -> ImportProblem:
    if error.pos >= len(text.text.rstrip()) or error.msg.startswith("Unterminated"):
        return _cut_off(text)
    sentence = _("The JSON is broken here. Fix it and import the file again.")
    return ImportProblem(text.line + error.lineno - 1, sentence, is_fatal=True)


def _cut_off(text: _Text) -> ImportProblem:
    sentence = _("The file ends too early, in the entry that starts here. Download it again.")
    return ImportProblem(text.line, sentence, is_fatal=True)

"""Parses a CSV file of people to invite, with a problem for each line that cannot be used. Pure."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from arithmetic import plain_text
from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead

MOST = 500
EMAIL_HEADS = {"email", "e-mail", "mail", "address"}
NAME_HEADS = {"name", "full name"}


@dataclass(frozen=True)
class Invitee:
    email: str
    name: str = ""


@dataclass(frozen=True)
class CsvProblem:
    line: int
    sentence: str


@dataclass(frozen=True)
class Invitees:
    """What a file holds, or its problems."""

    invitees: tuple[Invitee, ...] = ()
    problems: tuple[CsvProblem, ...] = ()


def invitees_in(file: "File[bytes]") -> Invitees:
    """Those of an uploaded file, which a child parses."""
    try:
        with process.on_disk(file) as path:
            return process.value(read, limits.of_page(), path=path)
    except UnableToRead as refusal:
        return Invitees(problems=(CsvProblem(1, refusal.sentence),))


def read(*, path: Path) -> Invitees:
    invitees, problems = parse(path.read_bytes())
    return Invitees(tuple(invitees), tuple(problems))


def parse(data: bytes) -> tuple[list[Invitee], list[CsvProblem]]:
    """Reads columns `email` and `name` by header; without a header, the address first and then the
    name. Returns every problem.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [CsvProblem(1, _("The file is not UTF-8. Save it as “CSV UTF-8”."))]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    email_at, name_at = 0, 1
    invitees: dict[str, Invitee] = {}
    first_line: dict[str, int] = {}
    problems = []
    try:
        for number, row in enumerate(reader, start=1):
            line = reader.line_num
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if (
                number == 1
                and (heads := [cell.lower() for cell in cells])
                and EMAIL_HEADS & set(heads)
            ):
                email_at = next(place for place, head in enumerate(heads) if head in EMAIL_HEADS)
                name_at = next(
                    (place for place, head in enumerate(heads) if head in NAME_HEADS), -1
                )
                continue
            email = cells[email_at].lower() if email_at < len(cells) else ""
            name = cells[name_at][:150] if 0 <= name_at < len(cells) else ""
            sentence = _problem(email, first_line, n_found=len(invitees))
            if sentence:
                problems.append(CsvProblem(line, sentence))
            else:
                invitees[email], first_line[email] = Invitee(email, plain_text.storable(name)), line
    except csv.Error:
        problems.append(
            CsvProblem(
                reader.line_num,
                _("This line is not valid CSV. Check for an unclosed quotation mark."),
            )
        )
    if not invitees and not problems:
        problems.append(CsvProblem(1, _("The file has no addresses.")))
    return list(invitees.values()), problems


def _problem(email: str, first_line: dict[str, int], *, n_found: int) -> str:
    if not email:
        return _("The e-mail address is missing. Add one or remove this line.")
    try:
        validate_email(email)
    except ValidationError:
        return _("“%(text)s” is not an e-mail address.") % {"text": email[:100]}
    if email in first_line:
        return _("%(email)s is already in line %(line)d. Remove one of the two.") % {
            "email": email,
            "line": first_line[email],
        }
    if n_found >= MOST:
        return _("More than %(n)d addresses. Move the rest to a separate file.") % {"n": MOST}
    return ""

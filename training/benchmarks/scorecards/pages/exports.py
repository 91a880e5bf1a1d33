"""Scorecards to take away: records for CSV and JSON, and a drawing."""

from training.benchmarks.scorecards import pairs, words
from training.benchmarks.scorecards.selectors import Cell, Line, Scorecard
from training.models import SuiteScore

COLUMNS = [
    *("model", "suite", "version", "area", "scorer", "score", "low", "high", "n", "n_missing"),
    *("n_clusters", "n_in_training_data", "baseline", "difference", "difference_low"),
    *("difference_high", "p", "p_holm", "method", "n_common", "smallest_difference", "verdict"),
]


def records(card: Scorecard) -> list[dict[str, object]]:
    """One a model and suite that it was scored on."""
    return [_record(card, line, cell) for line in card.lines for cell in line.cells if cell.score]


def _record(card: Scorecard, line: Line, cell: Cell) -> dict[str, object]:
    assert cell.score is not None
    record: dict[str, object] = dict.fromkeys(COLUMNS)
    record |= {
        "model": cell.model.name,
        "suite": line.suite.slug,
        "version": line.suite.version,
        "area": line.suite.area,
        **scored(cell.score),
        "n_in_training_data": cell.n_overlapping,
    }
    if cell.verdict is None or card.baseline is None:
        return record
    record |= {
        "baseline": card.baseline.name,
        "p_holm": cell.verdict.p,
        "verdict": cell.verdict.outcome.value,
    }
    if difference := cell.verdict.difference:
        record |= {
            "difference": difference.difference,
            "difference_low": difference.low,
            "difference_high": difference.high,
            "p": difference.p,
            "method": difference.method,
            "n_common": difference.n,
            "smallest_difference": difference.smallest,
        }
    return record


def scored(score: SuiteScore) -> dict[str, object]:
    return {
        "scorer": score.scorer,
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "n": score.n,
        "n_missing": score.n_missing,
        "n_clusters": score.details.get("n_clusters"),
    }


def as_json(card: Scorecard, *, with_details: bool = False) -> dict[str, object]:
    """The whole card. `with_details`: categories, labels and what is known of reward models."""
    rows = records(card)
    if with_details:
        cells = [cell for line in card.lines for cell in line.cells if cell.score]
        for row, cell in zip(rows, cells, strict=True):
            assert cell.score is not None
            row["details"] = cell.score.details
            row["beside"] = [
                scored(entry) | {"about": entry.details.get("about", "")} for entry in cell.beside
            ]
    return {
        "models": [{"id": entry.pk, "name": entry.name} for entry in card.models],
        "baseline": {"id": card.baseline.pk, "name": card.baseline.name} if card.baseline else None,
        "scores": rows,
    }


def markdown(card: Scorecard) -> str:
    """A table for a model's card; "" without scores."""
    lines = [(line, line.first.score) for line in card.lines if line.first.score]
    if not lines:
        return ""
    rows = "\n".join(
        f"| {_cell_text(str(line.suite))} | {line.suite.get_area_display()} |"
        f" {_cell_text(words.figure(score))} | {words.interval(score) or '–'} | {score.n} |"
        f" {score.n_missing} | {line.first.n_overlapping or '–'} | {words.scorer(score)} |"
        for line, score in lines
        if score
    )
    head = (
        "| Suite | Area | Score | 95 % interval | Items | Without an answer |"
        " In training data | Scorer |\n|---|---|---|---|---|---|---|---|"
    )
    return f"{head}\n{rows}"


def _cell_text(text: str) -> str:
    return text.replace("|", "\\|")


def has_bounds(line: Line) -> bool:
    """Whether the line can be drawn on an axis from 0 to 1."""
    return all(pairs.is_share(cell.score.scorer) for cell in line.cells if cell.score)

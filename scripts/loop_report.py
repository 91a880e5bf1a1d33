"""Where a loop's time goes, and its report: text for people, and one line of JSON at the end for
programs.
"""

import json
import os
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
WIDTH = 100
HALF = 50.0
# The standard normal's 97.5 % and 80 % quantiles.
Z_95, Z_80 = 1.96, 0.8416
_COUNTERS = Path("/proc/stat")


@dataclass(frozen=True)
class Part:
    name: str
    seconds: float
    idle: float | None
    """share of all cores' time; None where the system has no such counters"""


@dataclass
class LoopClock:
    """Each part ends where the next one begins."""

    parts: list[Part] = field(default_factory=list)
    _name: str = ""
    _since: float = 0.0
    _before: tuple[int, int] = (0, 0)

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._since, self._before = name, time.monotonic(), counters()

    def end(self) -> None:
        if not self._name:
            return
        idle, total = (now - then for now, then in zip(counters(), self._before, strict=True))
        share = idle / total if total else None
        self.parts.append(Part(self._name, time.monotonic() - self._since, share))
        self._name = ""


def counters() -> tuple[int, int]:
    """(idle, total) ticks of all cores since the machine started; zeros where unknown."""
    if not _COUNTERS.exists():
        return 0, 0
    first = _COUNTERS.read_text().split("\n", 1)[0]
    ticks = [int(number) for number in first.split()[1:9]]  # the rest is counted in these too
    return ticks[3] + ticks[4], sum(ticks)


def idle_share(parts: list[Part]) -> float | None:
    known = [part for part in parts if part.idle is not None]
    total = sum(part.seconds for part in known)
    return sum(part.seconds * (part.idle or 0) for part in known) / total if total else None


# --- the report -----------------------------------------------------------------------------------


def show(found: Figures, *, caps: str, files: list[str], parts: list[Part], seconds: int) -> None:
    print("\nReport")
    for name, words in lines(found, caps=caps, files=files, parts=parts, seconds=seconds):
        wrapped = [part for line in words.splitlines() for part in textwrap.wrap(line, WIDTH)]
        for number, line in enumerate(wrapped):
            print(f"  {name if number == 0 else '':<17}{line}")
    print()
    print(json.dumps(in_one_line(found, parts=parts, seconds=seconds)), flush=True)


def lines(
    found: Figures, *, caps: str, files: list[str], parts: list[Part], seconds: int
) -> Iterator[tuple[str, str]]:
    yield "data", ", ".join(files)
    yield "machine", f"{os.cpu_count()} cores, {found['runs'][0]['versions'].get('device', 'cpu')}"
    yield "limits", caps
    for run in found["runs"]:
        words = [*run["notes"], f"{run['metrics'].get('seconds', '?')} s in the training process"]
        yield f"{run['kind']} run", "\n".join(words)
    for run in runs_of(found, "sft"):
        n = run["metrics"].get("n_held_out", 0)
        yield "SFT loss", f"{arrow(run, 'held_out_loss')}, on {n} held-out demonstrations"
    yield (
        "responses",
        (f"{found['responses_sampled']} sampled, {found['responses_ended']} finished naturally"),
    )
    yield "raters", "\n".join(map(agreement_line, found["agreement"]))
    yield (
        "answers",
        (
            f"{found['judgments_submitted']} for {found['slots_wanted']} slots,"
            f" {found['judgments_extra']} extra"
        ),
    )
    yield "overlap", f"{found['overlap_violations']} violations"
    if preferred := preferred_of(found):
        yield "preferred", preferred
    yield from reward_lines(found)
    yield from ppo_lines(found)
    yield from win_lines(found)
    yield "gate", gate_line(found)
    yield "time", f"{seconds // 60} min {seconds % 60} s"
    yield "where it went", "\n".join(part_line(part) for part in parts)
    yield "conclusion", conclusion(found)


def agreement_line(row: Figures) -> str:
    agreed = (
        "have not judged the same pairs"
        if row["value"] is None
        else f"agree on {row['value']:.0%} of {row['n']} pairs that two of them decided"
    )
    return f"“{row['campaign']}”: they {agreed}"


def preferred_of(found: Figures) -> str:
    """What the newest model learned from, if raters chose it."""
    cards = [snapshot["card"] for snapshot in found["snapshots"]]
    card = next((card for card in reversed(cards) if card["filters"].get("best_voted_in")), None)
    if card is None:
        return ""
    left = ", ".join(f"{n} × {why}" for why, n in card["left_out"].items())
    return f"{card['rows']} responses to learn from" + (f"; left out: {left}" if left else "")


def conclusion(found: Figures) -> str:
    """What the loop has shown, and what to do next."""
    rate = found["win_rates"][-1]["as_voted"] if found["win_rates"] else None
    if rate is None or rate["low"] is None:
        return (
            "The raters compared too few prompts to tell. Import more prompts: a tenth of them is"
            " kept for the last comparison."
        )
    if rate["low"] > HALF:
        return (
            f"The new model is better: it wins {rate['value']:.0f} % of votes on prompts that"
            " neither had seen. Let people judge next: the schedule “Best of n, chosen by raters”"
            " does the same with them, and goes on from each model that passes."
        )
    if rate["high"] < HALF:
        return "The new model is worse, and the gate keeps it out. Look at its responses first."
    reach = smallest_shown(rate)
    return (
        f"No difference was shown. With so many fresh prompts and votes, a model that wins"
        f" {HALF + reach:.0f} % is found in four of five loops, one that wins less is mostly not."
        " Import more prompts, or let raters rank more responses to each."
    )


def smallest_shown(rate: Figures) -> float:
    """How far above 50 % a model has to win for its lower end to be above it in 80 % of loops."""
    return float((rate["high"] - rate["low"]) / 2 / Z_95 * (Z_95 + Z_80))


def reward_lines(found: Figures) -> Iterator[tuple[str, str]]:
    for reward in runs_of(found, "reward"):
        n = reward["metrics"].get("n_held_out_pairs", 0)
        yield "reward accuracy", f"{arrow(reward, 'held_out_accuracy')}, on {n} held-out pairs"
        n = reward["metrics"].get("n_train_pairs")
        yield "reward loss", f"{arrow(reward, 'held_out_loss')}, after {n} pairs"


def gate_line(found: Figures) -> str:
    """What a schedule's gate would decide, with the limits of a new schedule."""
    gate = found["gate"]
    return f"{gate['outcome']}: {gate['sentence']}" if gate else "not reached"


def part_line(part: Part) -> str:
    idle = "" if part.idle is None else f", cores idle {part.idle:.0%}"
    return f"{part.name}: {part.seconds:.0f} s{idle}"


def ppo_lines(found: Figures) -> Iterator[tuple[str, str]]:
    ppo = run_of(found, "ppo")
    if ppo is None:
        return
    n = ppo["metrics"].get("n_held_out_prompts", 0)
    yield (
        "PPO reward",
        (
            f"{arrow(ppo, 'reward')}, on {n} held-out prompts; model of step"
            f" {ppo['metrics'].get('kept_step', 0):.0f}"
        ),
    )
    yield "PPO KL", f"{ppo['metrics'].get('kl_after', 0):.2f} nats per response from the SFT model"
    steps = found["reward_by_drift"]
    chosen = steps[:: max(1, len(steps) // 6)]
    yield "reward by √KL", "  ".join(f"{drift:.2f}: {reward:+.2f}" for drift, reward in chosen)


def win_lines(found: Figures) -> Iterator[tuple[str, str]]:
    for rate in found["win_rates"]:
        voted, equal = rate["as_voted"], rate["at_equal_length"]
        controlled = (
            equal["note"] if equal["value"] is None else f"{equal['value']:.0f} % at equal length"
        )
        interval = (
            "too few prompts for an interval"
            if voted["low"] is None
            else f"{voted['low']:.0f}–{voted['high']:.0f} %"
        )
        yield (
            "win rate",
            (
                f"{rate['source']} beats {rate['other']} in {voted['value']:.0f} % of {voted['n']}"
                f" votes ({interval}); {controlled}"
            ),
        )


def in_one_line(found: Figures, *, parts: list[Part], seconds: int) -> dict[str, Any]:
    return {
        **training_figures(found),
        "responses_sampled": found["responses_sampled"],
        "judgments_submitted": found["judgments_submitted"],
        "overlap_violations": found["overlap_violations"],
        "agreement": [row["value"] for row in found["agreement"]],
        **win_figures(found),
        "true_win_rate": found["true_win_rate"],
        "gate": found["gate"]["outcome"] if found["gate"] else None,
        "gate_sentence": found["gate"]["sentence"] if found["gate"] else None,
        "conclusion": conclusion(found),
        "idle_share": share_of(idle_share(parts)),
        "parts": {part.name: [round(part.seconds), share_of(part.idle)] for part in parts},
        "seconds": seconds,
    }


def share_of(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def training_figures(found: Figures) -> dict[str, Any]:
    """Of the newest run of each kind that the loop has had."""
    names = {
        "sft": {
            "sft_loss_before": "held_out_loss_before",
            "sft_loss_after": "held_out_loss_after",
            "sft_held_out": "n_held_out",
        },
        "reward": {
            "reward_pairs": "n_train_pairs",
            "reward_accuracy_before": "held_out_accuracy_before",
            "reward_accuracy_after": "held_out_accuracy_after",
            "reward_held_out_pairs": "n_held_out_pairs",
        },
        "ppo": {
            "ppo_reward_before": "reward_before",
            "ppo_reward_after": "reward_after",
            "ppo_kl": "kl_after",
        },
    }
    return {
        name: run["metrics"].get(metric)
        for kind, metrics in names.items()
        if (run := run_of(found, kind)) is not None
        for name, metric in metrics.items()
    }


def win_figures(found: Figures) -> dict[str, Any]:
    rate = found["win_rates"][-1] if found["win_rates"] else None
    return {
        "win_rate": share(rate["as_voted"]["value"]) if rate else None,
        "win_rate_low": share(rate["as_voted"]["low"]) if rate else None,
        "win_rate_high": share(rate["as_voted"]["high"]) if rate else None,
        "win_rate_note": rate["as_voted"]["note"] if rate else None,
        "lc_win_rate": share(rate["at_equal_length"]["value"]) if rate else None,
        "lc_win_rate_low": share(rate["at_equal_length"]["low"]) if rate else None,
        "lc_win_rate_high": share(rate["at_equal_length"]["high"]) if rate else None,
    }


def share(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 4)


def run_of(found: Figures, kind: str) -> Figures | None:
    """The newest."""
    return next(reversed(runs_of(found, kind)), None)


def runs_of(found: Figures, kind: str) -> list[Figures]:
    return [run for run in found["runs"] if run["kind"] == kind]


def arrow(run: Figures, name: str) -> str:
    before, after = run["metrics"].get(f"{name}_before"), run["metrics"].get(f"{name}_after")
    if before is None or after is None:
        return "not measured: no held-out data"
    return f"{before:.3f} → {after:.3f}"

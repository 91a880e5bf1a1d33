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
    sft, reward = run_of(found, "sft"), run_of(found, "reward")
    yield "data", ", ".join(files)
    yield "machine", f"{os.cpu_count()} cores, {sft['versions'].get('device', 'cpu')}"
    yield "limits", caps
    for run in found["runs"]:
        yield (
            f"{run['kind']} run",
            "\n".join(
                [*run["notes"], f"{run['metrics'].get('seconds', '?')} s in the training process"]
            ),
        )
    yield (
        "SFT loss",
        (
            f"{arrow(sft, 'held_out_loss')}, on {sft['metrics'].get('n_held_out', 0)} held-out"
            " demonstrations"
        ),
    )
    yield (
        "responses",
        (f"{found['responses_sampled']} sampled, {found['responses_ended']} finished naturally"),
    )
    yield (
        "answers",
        (
            f"{found['judgments_submitted']} for {found['slots_wanted']} slots,"
            f" {found['judgments_extra']} extra"
        ),
    )
    yield "overlap", f"{found['overlap_violations']} violations"
    yield (
        "reward accuracy",
        (
            f"{arrow(reward, 'held_out_accuracy')}, on"
            f" {reward['metrics'].get('n_held_out_pairs', 0)} held-out pairs"
        ),
    )
    yield (
        "reward loss",
        f"{arrow(reward, 'held_out_loss')}, after {reward['metrics'].get('n_train_pairs')} pairs",
    )
    yield from ppo_lines(found)
    yield "gate", gate_line(found)
    yield "scorecard", "\n".join(map(suite_line, found["scorecard"])) or "no suite was answered"
    yield "time", f"{seconds // 60} min {seconds % 60} s"
    yield "where it went", "\n".join(part_line(part) for part in parts)


def gate_line(found: Figures) -> str:
    """What a schedule's gate would decide, with the limits of a new schedule."""
    gate = found["gate"]
    return f"{gate['outcome']}: {gate['sentence']}" if gate else "not reached"


def suite_line(row: Figures) -> str:
    """A suite's score before and after PPO, and whether the two can be told apart."""
    before, after = (
        "–" if row[name] is None else f"{row[name]:.0%}" for name in ("before", "after")
    )
    interval = "" if row["low"] is None else f", {row['low']:.0%} to {row['high']:.0%}"
    return f"{row['suite']}: {before} → {after} ({row['n']} items{interval}): {row['outcome']}"


def part_line(part: Part) -> str:
    idle = "" if part.idle is None else f", cores idle {part.idle:.0%}"
    return f"{part.name}: {part.seconds:.0f} s{idle}"


def ppo_lines(found: Figures) -> Iterator[tuple[str, str]]:
    ppo = run_of(found, "ppo")
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
    sft, reward = run_of(found, "sft")["metrics"], run_of(found, "reward")["metrics"]
    return {
        "sft_loss_before": sft.get("held_out_loss_before"),
        "sft_loss_after": sft.get("held_out_loss_after"),
        "sft_held_out": sft.get("n_held_out"),
        "responses_sampled": found["responses_sampled"],
        "judgments_submitted": found["judgments_submitted"],
        "overlap_violations": found["overlap_violations"],
        "reward_pairs": reward.get("n_train_pairs"),
        "reward_accuracy_before": reward.get("held_out_accuracy_before"),
        "reward_accuracy_after": reward.get("held_out_accuracy_after"),
        "reward_held_out_pairs": reward.get("n_held_out_pairs"),
        **ppo_figures(found),
        "gate": found["gate"]["outcome"] if found["gate"] else None,
        "gate_sentence": found["gate"]["sentence"] if found["gate"] else None,
        "scorecard": found["scorecard"],
        "idle_share": share_of(idle_share(parts)),
        "parts": {part.name: [round(part.seconds), share_of(part.idle)] for part in parts},
        "seconds": seconds,
    }


def share_of(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def ppo_figures(found: Figures) -> dict[str, Any]:
    ppo = run_of(found, "ppo")["metrics"]
    rate = found["win_rates"][-1] if found["win_rates"] else None
    return {
        "ppo_reward_before": ppo.get("reward_before"),
        "ppo_reward_after": ppo.get("reward_after"),
        "ppo_kl": ppo.get("kl_after"),
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


def run_of(found: Figures, kind: str) -> Figures:
    return next(run for run in reversed(found["runs"]) if run["kind"] == kind)


def arrow(run: Figures, name: str) -> str:
    before, after = run["metrics"].get(f"{name}_before"), run["metrics"].get(f"{name}_after")
    if before is None or after is None:
        return "not measured: no held-out data"
    return f"{before:.3f} → {after:.3f}"

"""What a loop did, for people and, in one line of JSON at the end, for programs."""

import json
import os
from collections.abc import Iterator
from typing import Any

Figures = dict[str, Any]


def show(found: Figures, *, caps: str, files: list[str], seconds: int) -> None:
    print("\nReport")
    for name, words in lines(found, caps=caps, files=files, seconds=seconds):
        for number, line in enumerate(words.splitlines()):
            print(f"  {name if number == 0 else '':<18}{line}")
    print()
    print(json.dumps(in_one_line(found, seconds=seconds)), flush=True)


def lines(found: Figures, *, caps: str, files: list[str], seconds: int) -> Iterator[tuple[str, str]]:
    sft, reward = run_of(found, "sft"), run_of(found, "reward")
    yield "data", ", ".join(files)
    yield "machine", f"{os.cpu_count()} cores, {sft['versions'].get('device', 'cpu')}"
    yield "capped to fit", caps
    for run in found["runs"]:
        yield f"{run['kind']} run", "\n".join([*run["notes"], f"{run['metrics'].get('seconds', '?')} s in the training process"])
    yield "SFT loss", f"{arrow(sft, 'held_out_loss')}, on {sft['metrics'].get('n_held_out', 0)} held-out demonstrations"
    yield "responses", f"{found['responses_sampled']} sampled, {found['responses_ended']} of them ended by themselves"
    yield "judgments", f"{found['judgments_submitted']} for {found['slots_wanted']} slots, {found['judgments_extra']} extra"
    yield "overlap", f"{found['overlap_violations']} violations"
    yield (
        "reward accuracy",
        f"{arrow(reward, 'held_out_accuracy')}, on {reward['metrics'].get('n_held_out_pairs', 0)} held-out pairs",
    )
    yield "reward loss", f"{arrow(reward, 'held_out_loss')}, after {reward['metrics'].get('n_train_pairs')} pairs"
    yield "time", f"{seconds // 60} min {seconds % 60} s"


def in_one_line(found: Figures, *, seconds: int) -> dict[str, Any]:
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
        "seconds": seconds,
    }


def run_of(found: Figures, kind: str) -> Figures:
    return next(run for run in reversed(found["runs"]) if run["kind"] == kind)


def arrow(run: Figures, name: str) -> str:
    before, after = run["metrics"].get(f"{name}_before"), run["metrics"].get(f"{name}_after")
    if before is None or after is None:
        return "not measured, nothing was held out"
    return f"{before:.3f} → {after:.3f}"

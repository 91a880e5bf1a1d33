"""Writes tests/trainer/data/trl_1_12_ppo_batch.json: one batch computed with the arithmetic of trl
1.12.0's PPOTrainer.

usage: PYTHONPATH=FOLDER_WITH_TRL_1_12 python benchmarks/trl_1_12_batch.py OUT_JSON
The masking helpers are TRL's own; the recursion and the two losses follow its train() statement by
statement.
"""

import json
import sys

import torch
import trl
from trl.experimental.ppo.ppo_trainer import masked_mean, masked_whiten

assert trl.__version__ == "1.12.0", trl.__version__
torch.manual_seed(20)
torch.set_default_dtype(torch.float64)
lengths = torch.tensor([6, 3, 5, 1])
padding = torch.arange(6)[None] >= lengths[:, None]
rewards, values = (
    torch.randn(4, 6).masked_fill(padding, 0),
    torch.randn(4, 6).masked_fill(padding, 0),
)
logprobs, new_logprobs = -torch.rand(4, 6) * 3, -torch.rand(4, 6) * 3
new_values = values + torch.randn(4, 6) * 0.4

last = torch.zeros(4)
reversed_advantages: list[torch.Tensor] = []
for t in reversed(range(6)):
    following = values[:, t + 1] if t < 5 else 0.0
    delta = rewards[:, t] + 1.0 * following - values[:, t]
    last = delta + 1.0 * 0.95 * last
    reversed_advantages.append(last)
advantages = torch.stack(reversed_advantages[::-1], dim=1)
returns = advantages + values
advantages = torch.masked_fill(masked_whiten(advantages, ~padding), padding, 0)
clipped_values = torch.clamp(new_values, values - 0.2, values + 0.2)
value_losses, value_losses_clipped = (
    torch.square(new_values - returns),
    torch.square(clipped_values - returns),
)
ratio = torch.exp(new_logprobs - logprobs)
policy_losses = -advantages * ratio
policy_losses_clipped = -advantages * torch.clamp(ratio, 0.8, 1.2)
stored = {
    "mask": ~padding,
    "rewards": rewards,
    "values": values,
    "logprobs": logprobs,
    "new_logprobs": new_logprobs,
    "new_values": new_values,
    "advantages": advantages,
    "returns": returns,
    "policy_loss": masked_mean(torch.max(policy_losses, policy_losses_clipped), ~padding),
    "policy_clip_fraction": masked_mean((policy_losses_clipped > policy_losses).double(), ~padding),
    "value_loss": 0.5 * masked_mean(torch.max(value_losses, value_losses_clipped), ~padding),
    "value_clip_fraction": masked_mean((value_losses_clipped > value_losses).double(), ~padding),
}
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({name: value.tolist() for name, value in stored.items()}, file)

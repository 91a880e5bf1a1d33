"""What the fork server of warm.py imports before its first child. Only it may import this."""

import os

# What training.trainer.__main__ would set before it imports torch.
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
}

import training.trainer.__main__
import training.trainer.parallel
import training.trainer.ppo.run  # noqa: F401

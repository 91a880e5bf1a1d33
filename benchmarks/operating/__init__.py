"""The parts of `benchmarks/operate.py`: what an operator does while people work."""

import sys
from pathlib import Path

# Scripts run by path and import each other from their folder.
sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

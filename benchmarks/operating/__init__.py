"""The parts of `benchmarks/operate.py`: what an operator does while people work."""

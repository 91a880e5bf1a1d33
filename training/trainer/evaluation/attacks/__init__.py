"""Attacks on a model: strategies, the attempts of a run, and the conversations they lead to."""

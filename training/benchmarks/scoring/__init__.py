"""Scorers: from an item and a model's answer to a score. No Django, no torch."""

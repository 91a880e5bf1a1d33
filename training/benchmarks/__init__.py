"""Benchmarks: suites of test items, scorers, and scorecards of models."""

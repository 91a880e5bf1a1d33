"""Tests of scorers and of the refusal classifier."""

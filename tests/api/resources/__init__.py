"""Tests of the API, a resource a file."""

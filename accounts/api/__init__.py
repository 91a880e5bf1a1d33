"""Shared parts of the REST API: tokens, permissions, rate limits, pagination, problems and
idempotency keys.
"""

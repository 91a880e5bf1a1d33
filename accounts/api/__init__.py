"""What every endpoint of the REST API shares: tokens, permissions, limits, pages, problems and keys
of repeated calls.
"""

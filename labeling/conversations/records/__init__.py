"""Conversations as admins see them: pages and API."""

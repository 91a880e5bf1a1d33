"""Template tags available to every page."""

"""Attacks that raters have found: into a suite, and back to raters for better answers."""

"""Formulas for comparing models on the same items. No Django."""

"""The kinds whose policy writes several responses to each prompt as it trains, and learns from how
they differ.
"""

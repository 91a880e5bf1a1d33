"""Building blocks of a page, made from plain values: rendered text, chart geometry, template tags.
No tables, no requests.
"""

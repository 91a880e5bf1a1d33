"""What a page shows, made of plain values: rendered text, chart geometry, template tags. No tables,
no requests.
"""

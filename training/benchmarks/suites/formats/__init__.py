"""Files of suites: bytes in, a draft or problems out. No database, and no error is raised because
of what a file holds.
"""

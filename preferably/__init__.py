"""The command `preferably`, and what an installed site needs beside its packages.

In a checkout, the folders here are links to those at the root. In the wheel they are the files
themselves.
"""

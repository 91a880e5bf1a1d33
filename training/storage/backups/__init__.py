"""Backups: the database and the files that belong to it, in a folder or at a URL.

A place holds `files/` (each content once, named by its SHA-256, for all backups together) and
`backups/` (a manifest per backup, written last). So a backup that was interrupted is none, and the
next one sends only what is new.
"""

"""How dates and times are written, one module a language: every page takes its formats from here
(FORMAT_MODULE_PATH).
"""

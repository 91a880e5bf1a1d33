"""Date and time formats, one module per language, used by every page (FORMAT_MODULE_PATH)."""

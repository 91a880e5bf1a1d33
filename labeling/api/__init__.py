"""The labeling half over HTTP, as JSON: see config.api for the addresses."""

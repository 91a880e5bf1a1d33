"""The REST API of training; see config.api for the URLs."""

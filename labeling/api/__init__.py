"""The REST API of the labeling app; see config.api for the URLs."""

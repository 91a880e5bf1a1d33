"""The files in deploy/ and compose.yaml."""

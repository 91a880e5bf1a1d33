"""The REST API of campaigns, their items and their gold items."""

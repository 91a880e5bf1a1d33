"""The messages of each release, and whether this code understands them."""

"""Setting campaigns up, and changing them."""

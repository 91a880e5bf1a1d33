"""What a campaign found, and what people decide about its answers, in the REST API."""

"""PostgreSQL as Django speaks it, with a cheaper look at whether a connection lives."""

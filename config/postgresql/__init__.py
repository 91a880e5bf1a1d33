"""Django's PostgreSQL backend with a cheaper check of whether a connection is alive."""

"""Background jobs: a row is the queue, and a message only wakes a worker."""

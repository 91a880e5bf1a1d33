"""What operators see of each process: request metrics, logs, and reports to other services."""

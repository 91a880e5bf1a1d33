"""What operators see of the site: probes, metrics for Prometheus, and the operations page."""

"""What models scored on suites: stored answers, scores, differences between models, pages."""

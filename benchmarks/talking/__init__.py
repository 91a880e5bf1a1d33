"""Parts of benchmarks/conversations.py: a slow endpoint, and raters who talk."""

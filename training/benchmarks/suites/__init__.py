"""Suites of test items: upload, checks, formats, and the suites that come with the product."""

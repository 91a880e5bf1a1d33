"""Pages and files of scorecards."""

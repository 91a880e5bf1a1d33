"""What the pages of campaigns are made of: the curve of progress, first steps, filters."""

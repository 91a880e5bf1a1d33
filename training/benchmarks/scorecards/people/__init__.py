"""People on scorecards: answers sent to raters, and what they say of them and the classifier."""

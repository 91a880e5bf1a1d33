"""What a run costs before it starts: parameters, tokens, memory and disk."""

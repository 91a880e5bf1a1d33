"""What an operator does while people work."""

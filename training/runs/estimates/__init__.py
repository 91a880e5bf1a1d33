"""What a run would cost, hold and send, before it starts, and why it cannot be."""

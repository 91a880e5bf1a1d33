"""What attacks on models found: success by goal, area and strategy, and what people say of it."""

"""What every part of the product computes alike, the training process included: no Django."""

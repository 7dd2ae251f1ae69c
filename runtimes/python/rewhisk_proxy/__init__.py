"""What the action proxy for python is made of."""

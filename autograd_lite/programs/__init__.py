"""What `compile` makes."""

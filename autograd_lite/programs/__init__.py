"""What `compile` makes of a function: recorded programs, and when each may be used."""

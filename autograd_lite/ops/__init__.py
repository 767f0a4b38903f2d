"""The operations: one table, and all that is known of each: value, derivatives, domain, notation."""

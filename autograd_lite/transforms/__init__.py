"""Functions of numbers into functions of numbers: gradients, series, sparse matrices, other numbers."""

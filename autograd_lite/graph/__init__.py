"""What is recorded: nodes, the backward pass over them, and their graph in flat form."""

"""What kind of mistake a wrong claim is."""

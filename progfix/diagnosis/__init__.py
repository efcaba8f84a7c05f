"""What is wrong with a head, with evidence and the fix."""

"""What a project no longer keeps: which replies are redundant, and their removal."""

"""What was known at a moment: jobs and graphs folded from what there was by then; read only."""

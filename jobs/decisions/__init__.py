"""What people decide: reviews, corrections, graphs merged and split."""

"""What works on many runs: races of variants, and how they are compared. No torch."""

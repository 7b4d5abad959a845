"""What works on many runs: races, sweeps, comparison, export. No torch at import."""

"""Sweeps: which settings are tried, where a study is kept, who trains which trial, and what came out."""

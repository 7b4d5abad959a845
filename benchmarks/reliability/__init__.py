"""Runs, sweeps, folders and sessions that are killed, damaged or left open for long."""

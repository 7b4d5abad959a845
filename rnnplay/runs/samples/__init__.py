"""The samples kept with a run: those that training logs, and those that the user drew."""

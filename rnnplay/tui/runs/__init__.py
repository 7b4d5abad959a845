"""The list of runs: what it shows, the widget that draws it, and the preview of a run."""

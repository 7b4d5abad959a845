"""Lessons beside the charts: the page, its steps and their measurements."""

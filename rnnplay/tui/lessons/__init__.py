"""Lessons beside the charts: the page, its steps, what has been measured."""

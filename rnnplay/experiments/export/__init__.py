"""Exports runs to files of other programs: tables, charts, a report, weights. A module a format."""

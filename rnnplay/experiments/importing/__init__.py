"""Imports models that other programs trained, as runs that can be prompted, evaluated, inspected and branched from."""

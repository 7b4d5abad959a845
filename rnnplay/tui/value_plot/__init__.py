"""Plots of values over something other than steps: a learning rate, or the values of a knob."""

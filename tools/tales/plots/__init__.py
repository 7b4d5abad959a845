"""What can happen in a tale: each plot is a function that tells one from beginning to end."""

from __future__ import annotations

from tools.tales.plots import finding, giving, going, mending, swapping, together

PLOTS = (*finding.PLOTS, *giving.PLOTS, *swapping.PLOTS, *going.PLOTS, *mending.PLOTS, *together.PLOTS)

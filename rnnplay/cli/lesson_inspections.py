"""The inspections that a lesson's conditions need, made of the model that the trainer has in hand."""

from __future__ import annotations

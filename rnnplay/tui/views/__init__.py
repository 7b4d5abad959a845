"""The views of the inspection screen, one a file; each asks the engine one kind of question and draws the answer."""

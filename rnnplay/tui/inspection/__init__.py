"""The views of the inspection screen: each asks the engine one kind of question and draws the answer."""

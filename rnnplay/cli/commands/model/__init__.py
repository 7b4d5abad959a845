"""Commands that ask a trained model: for text, completions, its loss, and what goes on inside."""

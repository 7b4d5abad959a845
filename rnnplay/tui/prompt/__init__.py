"""The prompt: ghost text, the next tokens, samples."""

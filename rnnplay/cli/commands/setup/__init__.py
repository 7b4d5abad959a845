"""What there is to begin with: texts, presets, the shell's completion, and the machine."""

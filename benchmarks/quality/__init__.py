"""What models learn: loss, memory, keystrokes saved; the lessons' conditions and the verdicts on a run."""

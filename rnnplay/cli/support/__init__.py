"""What the commands share: options, output, errors, the workspace in use."""

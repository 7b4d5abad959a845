"""What a user of the terminal waits for: keys, charts, lists, views."""

"""The engine process, the parent's side of it, and the messages between them."""

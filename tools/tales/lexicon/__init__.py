"""The words of the tales, by meaning. In each list the frequent ones come first: draws follow Zipf's law."""

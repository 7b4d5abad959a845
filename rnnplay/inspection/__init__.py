"""Shows why a model predicts what it does: gradients through time, gates, saliency and how far back it remembers."""

"""Why a model predicts what it does: gradients through time, gates, what matters where, what is kept how long."""

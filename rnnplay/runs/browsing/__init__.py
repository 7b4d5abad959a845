"""What a list of runs is made of: filters, order, the tree of branches, and which runs are being trained now."""

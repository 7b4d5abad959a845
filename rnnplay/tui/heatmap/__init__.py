"""Heat maps: tokens and units in shades of colour."""

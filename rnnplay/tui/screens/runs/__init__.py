"""The runs browser and the screens that it opens."""

"""The commands, in folders by what they are about: one a file, each importing what it needs when it is called."""

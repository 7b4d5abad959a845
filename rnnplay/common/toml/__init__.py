"""TOML files as users write them: read with a sentence for each mistake, and with what can be made of a broken one."""

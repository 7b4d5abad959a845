"""The playground in a browser, for a class: one server, and a process and a workspace for each visitor."""

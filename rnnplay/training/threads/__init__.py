"""The number of threads of a run: the fastest at the start, fewer while other programs use the cores.

OpenMP's threads wait for one another many times in a step, by spinning. That is fast while each has a core of its own,
and ruinous where two programs share the cores: each then spins while it keeps the other from arriving. So a run uses no
more threads than there are cores that no other program uses. They are counted twice a second (free_cores.py);
`CoreWatch` decides, from the readings alone; `ThreadCount` measures and sets. Measurements: docs/decisions.md,
docs/measurements/performance.md.
"""

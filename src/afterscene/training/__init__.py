"""Training: one step loop for generators and detectors, which have nothing else in common.

A :class:`~afterscene.training.task.Task` says what is trained; the
:class:`~afterscene.training.loop.Trainer` takes its steps, in one process or many, averages the
weights, logs, saves and resumes. Nothing here knows about images or damage levels.
"""

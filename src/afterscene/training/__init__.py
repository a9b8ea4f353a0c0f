"""The machine that trains: one step loop for generators and detectors, which share nothing else.

A :class:`~afterscene.training.task.Task` says what is trained; the
:class:`~afterscene.training.loop.Trainer` takes its steps, on one process or many, averages the
weights, logs, saves and goes on. Nothing here knows an image or a damage level.
"""

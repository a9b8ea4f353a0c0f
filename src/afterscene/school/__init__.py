"""The course: from the average image to conditional diffusion, each step a script that runs.

``lessons/`` are notebooks in jupytext's percent format, plain scripts that use the library as any
user would; :mod:`~afterscene.school.lesson` is their tool box. ``pages/`` is text about data sets,
servers and git. ``catalogue`` finds both, ``player`` runs a lesson in its own process and keeps
what it showed, ``site`` makes static pages of it.
"""

"""The course: from the average image to conditional diffusion, each step a script that runs.

``lessons/`` and ``tutorials/`` are notebooks in jupytext's percent format, plain scripts that use
the library as any user would; :mod:`~afterscene.school.lesson` is their tool box. ``catalogue``
reads them, ``notebook`` runs them in a Jupyter kernel and keeps the outputs, ``markdown`` makes
pages of these, and ``site`` a site of the pages.
"""

"""Diffusion, knowing nothing of the Earth: schedule -> denoiser -> sampler, and one loop.

Read in this order: ``schedules``, ``grids`` (steps), ``parameterization`` (what a network answers),
``denoisers``, ``loop``, ``samplers``, ``bridges``, ``guidance``, ``losses``, ``likelihood``,
``analytic`` (denoisers without a network) and ``noise`` (a function of position).
"""

"""Diffusion models in general: schedule -> denoiser -> sampler, and one loop.

Nothing here knows about images of the Earth. Read in this order: ``schedules``, ``grids`` (steps),
``parameterization`` (what a network predicts), ``denoisers``, ``loop``, ``samplers``, ``bridges``,
``guidance``, ``losses``, ``likelihood``, ``analytic`` (denoisers without a network) and ``noise``
(a function of position).
"""

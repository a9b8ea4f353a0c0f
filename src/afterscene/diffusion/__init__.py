"""Diffusion, knowing nothing of the Earth: schedule -> denoiser -> sampler, and one loop.

Read in this order: ``schedules`` (alpha, sigma), ``grids`` (steps), ``parameterization`` (what a
network answers), ``denoisers`` (a network as an estimate of x0), ``samplers`` (the loop and its
steps), ``bridges`` (between two images), ``guidance`` (denoisers around denoisers), ``losses``,
``likelihood``, ``analytic`` (denoisers without a network) and ``noise`` (a function of position).
"""

"""A picture from one evaluation: generative models before diffusion.

All three begin with random numbers z and end with a picture ``g(z)`` after one evaluation of a
network. They differ in how ``g`` learns without being told which z belongs to which picture: a
*VAE* lets a second network guess the z of each picture, a *GAN* lets a second network tell drawn
pictures from real ones, a *normalizing flow* is made of steps that can be undone, so that it finds
the z of a picture itself.

As in :mod:`afterscene.school.autoregression` the pictures are integers ``(N, 3, S, S)``; the verbs
are ``loss(x)``, ``decode(z)``, ``walk(label)`` and ``sample(label)``.
"""

from afterscene.school.latent.flow import Flow
from afterscene.school.latent.gan import Gan
from afterscene.school.latent.model import LatentModel, latents
from afterscene.school.latent.vae import Vae
from afterscene.school.networks.latent import LatentConfig

__all__ = ["Flow", "Gan", "LatentConfig", "LatentModel", "Vae", "latents"]

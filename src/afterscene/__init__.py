"""AfterScene: a pre-disaster scene in, its labelled aftermath out.

Data flows in one direction: ``geodata`` reads a scene, ``hazards`` decides which building suffers
which damage, ``generators`` renders the post-disaster image with a diffusion model, ``gbd`` writes
the pair with labels, ``detectors`` learns from pairs and ``afterscene.lab`` measures what the
synthetic ones were worth.
"""

__version__ = "0.2.0"

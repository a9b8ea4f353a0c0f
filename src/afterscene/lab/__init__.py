"""The lab: what generated images and pairs are worth, measured and shown.

``demo`` runs the whole pipeline once, ``compare`` trains detectors with and without synthetic
pairs, ``evaluate`` compares generated images with real ones. The lab imports every other package of
``afterscene``; none of them imports it.
"""

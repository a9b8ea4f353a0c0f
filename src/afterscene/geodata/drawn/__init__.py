"""Coarse colours for the layout model: of a picture, or drawn from footprints and a seed alone."""

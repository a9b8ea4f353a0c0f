"""Confusion and F1 by the rules of xView2, distances between images, confidence intervals."""

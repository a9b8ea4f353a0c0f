"""Figures: confusion and F1 by the rules of xView2, distances between pictures, intervals."""

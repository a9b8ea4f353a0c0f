"""The lab: what generated pictures and pairs are worth, measured and shown.

``demo`` goes the whole way once, ``compare`` trains detectors with and without synthetic pairs,
``evaluate`` holds generated pictures against real ones. It imports every room of ``afterscene``;
none of them imports it.
"""

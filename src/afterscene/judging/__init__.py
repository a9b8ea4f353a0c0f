"""A detector's opinion of a generated scene: is the damage there that was asked for?"""

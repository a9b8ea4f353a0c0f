"""A detector's opinion of a generated scene: does it show the damage that was asked for?"""

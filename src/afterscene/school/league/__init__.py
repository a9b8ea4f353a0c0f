"""The league: twelve ways to draw, on the same real crops, after the same seconds of training.

Each method learns from the same crops and labels for the same time of one processor, draws pictures
for the labels of the held-out crops, and is judged by

* bits a value of held-out crops, where a likelihood exists (exact, by flow or ODE, or a bound);
* the Fréchet distance of its pictures to all held-out crops in a named feature space;
* network evaluations one after the other, and seconds, for a picture;
* the distance to the nearest training crop, as a share of what a real unseen crop has: far below 1
  would be memory.

Three controls stand beside the twelve: the best guess of next pixel, and blocks and random pixels
in place of spaced ones. Method after method is kept on disk, so that a league that was stopped
goes on. ``run_league`` is the whole of it; ``report`` makes tables and pictures of the result.
"""

from afterscene.school.league.contestant import Contestant, LeagueConfig
from afterscene.school.league.judge import Score
from afterscene.school.league.report import write_league
from afterscene.school.league.run import CONTESTANTS, League, run_league

__all__ = [
    "CONTESTANTS",
    "Contestant",
    "League",
    "LeagueConfig",
    "Score",
    "run_league",
    "write_league",
]

"""Networks that only the lessons and the league use."""

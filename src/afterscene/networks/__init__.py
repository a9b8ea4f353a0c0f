"""Networks of the course and of the shipped models: torch only, they know no schedule."""

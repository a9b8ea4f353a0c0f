"""The networks of the shipped models and of the course: torch only; they know no schedule."""

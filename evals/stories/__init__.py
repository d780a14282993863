"""Labelled building stories: played over months, and judged by what an experienced procurement manager would want."""

"""Pages for people: one for a question, one for a building's log. Reached by signed links, without a key."""

"""What a procurement manager expects of a line, told over REST: written from the trade, not from the code."""

"""GES as it is: its words, its replies, its errors, how to ask it. Plain Python."""

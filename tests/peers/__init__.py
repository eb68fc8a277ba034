"""Judges that are not ours: the providers' own clients, and libraries of other people.

Two things are shown of each provider: its own client sends what our gateway sends, and it understands what
our look-alike answers.
"""

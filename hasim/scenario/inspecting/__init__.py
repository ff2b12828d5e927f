"""What is in a file that somebody has, and what of a scenario it could be.

`columns` says what each column holds, `guesses` which uses that suggests, and `uses` tries them
with the readers that a run would use: what is shown to be pasted has been read.
"""

"""The commands of the command line, one file per subject.

Nothing heavy is imported before a command runs: ``hasim --help`` must be quick.
"""

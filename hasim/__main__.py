"""``python -m hasim``: the command line."""

from hasim.cli import main

if __name__ == "__main__":
    main(prog_name="hasim")

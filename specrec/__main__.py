"""`python -m specrec`: the command line."""

from specrec.cli import main

main()

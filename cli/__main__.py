"""`python -m cli`: the `nalanda` command, for processes that know only their Python."""

from cli.main import main

main()

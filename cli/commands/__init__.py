"""The subcommands, except those with a folder of their own."""

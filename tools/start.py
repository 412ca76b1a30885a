"""Starts a command with the arguments that a poe task was given."""

import sys

import click


def start(command: click.Command) -> None:
    """Run ``command``; of ``poe task -- --k 9`` poe hands on the ``--`` too, which would end the options."""
    arguments = sys.argv[1:]
    if "--" in arguments:
        arguments.remove("--")
    command(args=arguments)

"""Measures the recipe of the movie assistant over several seeds.

::

    __main__.py   the command
    seed.py       one training, and its answers about films it has not seen
    page.py       the table
"""

"""How often instructions in retrieved texts are followed, with and without the defences."""

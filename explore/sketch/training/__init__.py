"""How the shipped checkpoints are made: `python -m explore.sketch.training --help`."""

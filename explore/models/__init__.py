"""Loaded models: runners, recording, prompts, and one file per family. Nothing else touches the network's modules."""

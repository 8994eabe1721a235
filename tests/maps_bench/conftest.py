"""Drawn examples may take their time: on a busy machine a slow one is no failure."""

from hypothesis import settings

settings.register_profile("patient", deadline=None, max_examples=40)
settings.load_profile("patient")

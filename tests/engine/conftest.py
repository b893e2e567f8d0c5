"""`--hypothesis-profile=thorough` (make properties) looks at thousands of generated runs instead of a hundred."""

from hypothesis import settings

settings.register_profile("thorough", max_examples=5_000, deadline=None)

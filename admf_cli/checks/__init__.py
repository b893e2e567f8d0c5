"""Whether a run can be trusted: reruns of it under changed circumstances, compared event by event.

Refuses to write anything: reruns are recorded in memory.
"""

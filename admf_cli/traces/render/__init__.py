"""Answers about traces as tables, text and JSON; computes nothing."""

"""The command line: argv in, one call, rendering out."""

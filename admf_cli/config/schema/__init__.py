"""The vocabulary of a configuration as pydantic models, one module per part of it. Refuses to know rules across parts."""

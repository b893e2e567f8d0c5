"""The vocabulary of a configuration as pydantic models, one module per part. Refuses to know rules across parts."""

"""Reading tools over traces on disk. They know the file format and nothing of what runs a backtest."""

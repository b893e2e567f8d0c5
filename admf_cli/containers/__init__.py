"""The trading containers: data, features, strategy, portfolio, execution. Each refuses to know the others' insides."""

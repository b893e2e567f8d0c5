"""Events as tables with typed columns, for SQL, Parquet and CSV."""

"""Conversion of JSON Lines, Parquet and tables of other tools into the records of a library."""

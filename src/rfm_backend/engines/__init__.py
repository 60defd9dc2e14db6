"""The engines that run the pipeline's SQL: DuckDB in the process, Spark on a cluster."""

"""Pool, errors, partitions, migration, tables: what all rooms stand on."""

"""Reading the source systems: the collection system's database and the drop folder."""

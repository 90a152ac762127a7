"""Random histories of deliveries and runs, each of which must end where the clean run ends."""

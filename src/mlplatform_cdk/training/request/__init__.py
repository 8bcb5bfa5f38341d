"""What a run is asked to do, read and completed before anything else."""

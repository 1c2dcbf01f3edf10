"""The command line of pinky: connects, shows plans and reports, asks, and gives exit codes. It decides nothing else."""

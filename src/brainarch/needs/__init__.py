"""What every stage of a run needs: threads, memory, time, disk, a GPU; from sizes alone."""

"""What a run consists of: where its files lie, and what each stage reads, writes and is given."""

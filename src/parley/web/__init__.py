"""HTTP in and out: admission, forms, answers, streams, the log. It may import every other room."""

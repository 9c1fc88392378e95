"""What the tests build with: a fake upstream, the application, processes that serve it."""

"""How a process serves: worker, connections, slots, watchdog and log. It may import `wire`."""

"""The virtual machine, what is plugged into it, and the agent that runs in it."""

"""What the system talks about: values, ports and errors. No input or output."""

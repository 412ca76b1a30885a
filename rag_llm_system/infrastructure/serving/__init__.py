"""What both servers share: errors, event streams, protection, metrics and opening in the background."""

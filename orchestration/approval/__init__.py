"""What waits for a person, what the person is shown and says of it, and what that is still worth."""

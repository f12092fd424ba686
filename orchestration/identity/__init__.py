"""Who somebody is: people by their tokens, agents by credentials minted for one run."""

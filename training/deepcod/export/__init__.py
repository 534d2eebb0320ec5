"""From a trained codec and a service to a bundle: heads, tails, shared weights, entropy tables, manifest."""

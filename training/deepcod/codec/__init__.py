"""The learned codec: one convolution on the device, a quantiser, and a heavy decoder at the edge."""

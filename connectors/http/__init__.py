"""The one seam to the network: requests out, raw answers in. Each wrapper has the same one method, `send`."""

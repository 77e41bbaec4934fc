"""A landed object's bytes to typed rows and rejects. Pure: no AWS, no clock, no log."""

"""Images: built, pushed, and written down by digest where the environments read them."""
